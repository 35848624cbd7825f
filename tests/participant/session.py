"""A participant of a consult: signaling, keys, media and chat of one page load, without a browser."""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, get_args

from aiortc import MediaStreamTrack

from signaling.protocol.events import (
    Admit,
    Answer,
    Arrive,
    Chat,
    DeskView,
    Indicators,
    Keyframe,
    Line,
    Offer,
    RoomView,
    Slots,
    Tell,
)
from tests.participant.e2ee import LABELS, E2eeError
from tests.participant.exchange import KeyExchange, decode, encode
from tests.participant.keyring import KeyRing
from tests.participant.media import MediaConnection, Receiving, Source
from tests.participant.wire import Refusal, Rest, Wire

_RETRY_SECONDS = 0.3
_KEYFRAME_SECONDS = 0.5
_SOURCES: dict[int, Source] = {LABELS[source]: source for source in get_args(Source)}

Token = Callable[[], Awaitable[str]]


@dataclass(frozen=True)
class ChatEntry:
    id: str
    role: str
    participant: str
    text: str
    at: int


class Participant:
    """Use as an async context manager; what goes wrong in the background is raised when it ends.

    Args:
        url: the server's origin.
        role: practitioner or patient.
        token: a fresh access token, asked for at the first connection (afterwards the resume ticket is used).
        tracks: what to send from the beginning.

    Attributes:
        room, desk: the newest views. media: the connection with the relay. chat: what was said, oldest first.
        told, unencrypted: as they came. ended: the reason. taken_over: another page has the seat.
    """

    def __init__(
        self, url: str, appointment: str, role: str, token: Token, tracks: dict[Source, MediaStreamTrack] | None = None
    ) -> None:
        self.id = encode(os.urandom(16))
        self.appointment = appointment
        self.role = role
        self.room: RoomView | None = None
        self.desk: DeskView | None = None
        self.media: MediaConnection | None = None
        self.chat: list[ChatEntry] = []
        self.told: list[str] = []
        self.unencrypted: list[str] = []
        self.ended: str | None = None
        self.taken_over = False
        self.ring = KeyRing(time.monotonic)
        self.keys = KeyExchange(self.ring, self.id, self._request)
        self._url = url
        self._token = token
        self._tracks: dict[Source, MediaStreamTrack] = dict(tracks or {})
        self._wire: Wire | None = None
        self._events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []
        self._fence = 0
        self._seated = 0, 0
        self._resume: str | None = None
        self._asked: dict[tuple[str, int], float] = {}

    async def __aenter__(self) -> Self:
        self._spawn(self._run())
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
        if error is None and self._failures:
            raise self._failures[0]

    # --- signaling -------------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Open the signaling socket, with the resume ticket if there is one. After a loss: `arrive` again."""
        self._wire = Wire(self._url, lambda event, body: self._events.put_nowait((event, body)))
        await self._wire.open(self._resume or await self._token())

    def resume_with(self, before: "Participant") -> None:
        """Be the page that ``before`` is after a reload: with its resume ticket, and nothing else of it."""
        self._resume = before._resume

    async def lose_signaling(self) -> None:
        """As a network would; the media goes on."""
        if self._wire:
            await self._wire.drop()

    async def arrive(self, *, take_over: bool = False) -> RoomView:
        body = Arrive(appointment=self.appointment, participant=self.id, take_over=take_over)
        return await self._enter("arrive", body)

    async def watch(self) -> DeskView:
        view = await self._request("watch", None)
        assert isinstance(view, DeskView)
        self._take_desk(view)
        return view

    async def admit(self, participant: str, *, take_over: bool = False) -> RoomView:
        """As the practitioner: call somebody in, and enter too."""
        body = Admit(appointment=self.appointment, participant=participant, me=self.id, take_over=take_over)
        return await self._enter("admit", body)

    async def tell(self, participant: str, message: Any) -> None:
        await self._request("tell", Tell(appointment=self.appointment, participant=participant, message=message))

    async def indicate(self, **indicators: bool) -> None:
        await self._request("indicate", Indicators(**indicators))

    async def leave(self) -> None:
        await self._request("leave", None)

    async def close(self) -> None:
        """Idempotent."""
        self.keys.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.media:
            await self.media.close()
        if self._wire:
            await self._wire.close()

    async def request(self, event: str, body: Any = None) -> Any:
        """Any event of the protocol."""
        return await self._request(event, body)

    # --- chat ------------------------------------------------------------------------------------------------------

    async def send_chat(self, text: str) -> None:
        entry = ChatEntry(encode(os.urandom(16)), self.role, self.id, text, time.time_ns() // 1_000_000)
        await self._transmit({"type": "text", "id": entry.id, "text": text, "at": entry.at})
        self.chat.append(entry)

    async def resend_chat(self, to: str) -> None:
        """The whole log, to a page that was reloaded."""
        await self._transmit({"type": "log", "entries": [vars(entry) for entry in self.chat]}, to)

    async def _transmit(self, content: dict[str, Any], to: str | None = None) -> None:
        frame = self.ring.seal(LABELS["data"], json.dumps(content, ensure_ascii=False).encode(), "data")
        if frame is None:
            raise Refusal("bad_state")
        await self._request("chat", Chat(ciphertext=encode(frame), to=to))

    def _take_chat(self, sender: str, ciphertext: str) -> None:
        try:
            signer, label, plaintext = self.ring.open(decode(ciphertext), "data")
        except E2eeError:
            return
        role = (
            next((other.role for other in self.room.others if other.participant == sender), None) if self.room else None
        )
        if signer != sender or label != LABELS["data"] or role is None:
            return
        content = json.loads(plaintext)
        entries = content["entries"] if content["type"] == "log" else [content | {"role": role, "participant": sender}]
        known = {entry.id for entry in self.chat}
        new = [ChatEntry(**{name: entry[name] for name in ChatEntry.__dataclass_fields__}) for entry in entries]
        self.chat = sorted([*self.chat, *(entry for entry in new if entry.id not in known)], key=lambda entry: entry.at)

    # --- media -----------------------------------------------------------------------------------------------------

    async def set_track(self, source: Source, track: MediaStreamTrack | None) -> None:
        """Send it, or no longer; a first screen makes a new offer."""
        if track:
            self._tracks[source] = track
        else:
            self._tracks.pop(source, None)
        if self.media and self.media.set_track(source, track):
            await self._offer(self.media)

    def receiving(self, participant: str, source: Source) -> Receiving | None:
        return self.media.place(participant, source) if self.media else None

    async def _offer(self, media: MediaConnection) -> None:
        while media is self.media:
            sdp, lines = await media.offer()
            try:
                body = Offer(fence=self._fence, sdp=sdp, lines=[Line(**line) for line in lines])
                answer = await self._request("offer", body)
            except (Refusal, TimeoutError):
                # The worker is being replaced, or the socket is gone: the room or `arrive` says how it goes on.
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            assert isinstance(answer, Answer)
            await media.answer(answer.sdp)
            self._assign(media, answer)
            return

    def _assign(self, media: MediaConnection, seen: Answer | Slots) -> None:
        if (seen.fence, seen.version) >= self._seated:
            self._seated = seen.fence, seen.version
            media.assign({view.slot: view.participant for view in seen.slots})

    async def _renew(self) -> None:
        room, before = self.room, self.media
        assert room
        assert room.media
        media = self.media = MediaConnection(self.ring, room.media.slots, self._want_keyframe)
        for source, track in self._tracks.items():
            media.set_track(source, track)
        self._spawn(self._offer(media))
        if before:
            await before.close()

    def _want_keyframe(self, participant: str, label: int) -> None:
        now = time.monotonic()
        if now - self._asked.get((participant, label), -1.0) >= _KEYFRAME_SECONDS:
            self._asked[participant, label] = now
            self._spawn(self._ask_keyframe(Keyframe(participant=participant, source=_SOURCES[label])))

    async def _ask_keyframe(self, body: Keyframe) -> None:
        try:
            await self._request("keyframe", body)
        except (Refusal, TimeoutError):
            return

    # --- events ----------------------------------------------------------------------------------------------------

    async def _request(self, event: str, body: Any) -> Any:
        if not self._wire or not self._wire.connected:
            raise Refusal("offline")
        return await self._wire.request(event, body)

    async def _enter(self, event: str, body: Any) -> RoomView:
        view = await self._request(event, body)
        assert isinstance(view, RoomView)
        self._events.put_nowait(("room", view))
        return view

    async def _run(self) -> None:
        while True:
            event, body = await self._events.get()
            if event == "room":
                await self._follow(body)
            elif event.startswith("key-"):
                await self.keys.receive(event, body)
            else:
                self._note(event, body)

    async def _follow(self, room: RoomView) -> None:
        if self.room and room.version < self.room.version:
            return
        self.room, self._resume = room, room.resume
        view = room.media
        if view and view.ready and (view.fence != self._fence or self.media is None):
            self._fence = view.fence
            await self._renew()
        await self.keys.follow(room)

    def _note(self, event: str, body: Any) -> None:
        if event == "slots" and self.media and body.fence == self._fence:
            self._assign(self.media, body)
        elif event == "desk":
            self._take_desk(body)
        elif event == "chat":
            self._take_chat(body.sender, body.ciphertext)
        elif event == "told":
            self.told.append(body.message)
        elif event == "unencrypted":
            self.unencrypted.append(body.source)
        elif event == "ended":
            self.ended = body.reason
        elif event == "taken-over":
            self.taken_over = True

    def _take_desk(self, view: DeskView) -> None:
        if self.desk is None or view.version >= self.desk.version:
            self.desk = view

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._failures.append(error)


def practitioner(rest: Rest, appointment: str, tracks: dict[Source, MediaStreamTrack] | None = None) -> Participant:
    """The practitioner who is signed in with ``rest``."""
    return Participant(rest.url, appointment, "practitioner", rest.desk_ticket, tracks)


async def patient(rest: Rest, link: str, tracks: dict[Source, MediaStreamTrack] | None = None) -> Participant:
    """Whoever opens this patient's link (what stands behind its ``#``)."""
    joined = await rest.join(link)

    async def token() -> str:
        return (await rest.join(link)).access_token

    return Participant(rest.url, joined.appointment, joined.role, token, tracks)
