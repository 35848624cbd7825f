"""A participant of a consult: signaling, keys, media and chat of one page load, without a browser."""

import asyncio
import os
import ssl
import time
from collections.abc import Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from aiortc import MediaStreamTrack

from client.chat import REQUEST, ChatEntry, ChatLog, compose
from client.e2ee import LABELS, E2eeError
from client.errors import ClientError, Offline, Refusal
from client.exchange import KeyExchange, decode, encode
from client.group import Group
from client.keyring import KeyRing
from client.link import Link, Token
from client.media import MediaConnection, Receiving, Source
from client.media_session import MediaSession, Tracks
from client.rest import Rest
from client.tally import Tally
from client.wire import DISCONNECT
from signaling.protocol.events import (
    Admit,
    Arrive,
    Chat,
    DeskView,
    HoldMessage,
    Indicators,
    RoomView,
    Watch,
)

INSIST_SECONDS = 15.0
ASK_AGAIN_SECONDS, ASK_AGAIN_SECONDS_MOST = 2.0, 32.0
OVER = frozenset({"ended", "gone", "link_invalid", "not_found"})
"""What a server says of a consult that is no more."""


class Participant(Group):
    """Use as an async context manager; what goes wrong in the background is raised when it ends.

    A lost connection comes back by itself, to the same place; media goes on meanwhile.

    Args:
        url: the server's origin.
        role: practitioner, patient or guest.
        token: a fresh access token, asked for when there is no resume ticket.
        tracks: what to send from the beginning.
        resume: the ticket of the page before, after a reload. tally: its `keys.tally`.
        relayed: as in `media.MediaConnection`.

    Attributes:
        room, desk: the newest views. keys: the handshakes; ``keys.code`` are the six digits.
        told, unencrypted: as they came. ended: the reason. taken_over: another page has the seat.
        losses: how often the signaling connection was lost. returns: how often it was back in its place.
    """

    def __init__(
        self,
        url: str,
        appointment: str,
        role: str,
        token: Token,
        tracks: Tracks | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        resume: str | None = None,
        tally: Tally | None = None,
        relayed: bool = False,
    ) -> None:
        super().__init__()
        self.id = encode(os.urandom(16))
        self.appointment = appointment
        self.role = role
        self.room: RoomView | None = None
        self.desk: DeskView | None = None
        self.told: list[HoldMessage] = []
        self.unencrypted: list[Source] = []
        self.ended: str | None = None
        self.taken_over = False
        self.losses = 0
        self.returns = 0
        self.ring = KeyRing(time.monotonic)
        self.keys = KeyExchange(self.ring, self.id, self.insist, tally)
        self._link = Link(url, self._heard, token, self._return, tls=tls)
        self._link.resume = resume
        self._media = MediaSession(self.ring, self.request, self._spawn, dict(tracks or {}), relayed=relayed)
        self._chat = ChatLog(role)
        self._answering: set[str] = set()
        self._acquainted: set[str] = set()
        self._shared: list[int] = []
        self._present = False
        self._away = False
        self._events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []

    async def __aenter__(self) -> Self:
        self._spawn(self._run())
        try:
            await self._link.open()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
        if error is None and self._failures:
            raise self._failures[0]

    @property
    def online(self) -> bool:
        return self._link.connected

    @property
    def resume(self) -> str | None:
        """The ticket that a page after a reload comes back with; it is a secret."""
        return self._link.resume

    @property
    def failure(self) -> BaseException | None:
        """What first went wrong in the background."""
        return self._failures[0] if self._failures else None

    # --- signaling -------------------------------------------------------------------------------------------------

    async def request(self, event: str, body: Any = None) -> Any:
        """Any event of the protocol.

        Raises:
            Refusal: the server said no.
            Offline: there was no answer.
        """
        return await self._link.request(event, body)

    async def insist(self, event: str, body: Any) -> Any:
        """An event that is carried out once, also if the connection is lost before its acknowledgement.

        Raises:
            Refusal: the server said no.
            Offline: the connection did not come back within ``INSIST_SECONDS``.
        """
        once = encode(os.urandom(16))
        deadline = time.monotonic() + INSIST_SECONDS
        while True:
            returns, away = self.returns, self._away
            try:
                return await self._link.request(event, body, once=once)
            except (Offline, Refusal) as error:
                # The connection is back before we are in our place.
                early = isinstance(error, Refusal) and error.code == "bad_state" and away
                if isinstance(error, Refusal) and not early:
                    raise
                while self.returns == returns:
                    if time.monotonic() > deadline or self.ended or self.taken_over or self._link.refused:
                        raise
                    await asyncio.sleep(0.05)

    async def arrive(self, *, take_over: bool = False) -> RoomView:
        body = Arrive(appointment=self.appointment, participant=self.id, take_over=take_over, **self._seen())
        return await self._enter("arrive", body)

    async def watch(self, practitioner: str | None = None) -> DeskView:
        """As the practitioner, or as who works for this one: who waits, from now on."""
        view: DeskView = await self.request("watch", Watch(practitioner=practitioner) if practitioner else None)
        self._take_desk(view)
        return view

    async def admit(self, participant: str, *, take_over: bool = False) -> RoomView:
        """As the practitioner: call somebody in, and enter too."""
        body = Admit(appointment=self.appointment, participant=participant, me=self.id, take_over=take_over)
        return await self._enter("admit", body)

    async def indicate(self, **indicators: bool) -> None:
        await self.request("indicate", Indicators(**indicators))

    async def leave(self) -> None:
        """Give up the place; as the practitioner, end the consult for all."""
        self._present = False
        await self.request("leave")

    async def lose_signaling(self) -> None:
        """As a network would."""
        await self._link.drop()

    async def close(self) -> None:
        """Without a word to the others. Idempotent."""
        self.keys.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._media.close()
        await self._link.close()

    # --- media and chat --------------------------------------------------------------------------------------------

    @property
    def media(self) -> MediaConnection | None:
        """The connection with the relay."""
        return self._media.connection

    @property
    def answered(self) -> int:
        """How many offers were answered."""
        return self._media.answered

    async def set_track(self, source: Source, track: MediaStreamTrack | None) -> None:
        """Send it, or no longer."""
        await self._media.set_track(source, track)

    def receiving(self, participant: str, source: Source) -> Receiving | None:
        return self.media.place(participant, source) if self.media else None

    @property
    def chat(self) -> list[ChatEntry]:
        """What was said, oldest first."""
        return self._chat.entries

    async def send_chat(self, text: str) -> None:
        """Raises:
        ValueError: it has more than 4,000 characters.
        """
        entry = ChatEntry(encode(os.urandom(16)), self.role, self.id, text, time.time_ns() // 1_000_000)
        await self._transmit(compose(entry))
        self._chat.keep(entry)

    async def resend_chat(self, to: str) -> None:
        """The whole log, to somebody who lacks some of it."""
        for part in self._chat.parts():
            await self._transmit(part, to)

    def _share_chat(self) -> None:
        """Whoever was reloaded lost it. An empty log is sent too: it ends the time in which one is taken."""
        if self.keys.epochs[-1:] == self._shared:
            return
        self._shared = self.keys.epochs[-1:]
        newcomers, self._acquainted = self.keys.holders - self._acquainted, set(self.keys.holders)
        self._chat.joined(self.keys.holders)
        for newcomer in sorted(newcomers):
            self._spawn(self._answer(newcomer))

    def _seen(self) -> dict[str, int]:
        return {} if self._link.seen is None else {"seen": self._link.seen}

    async def _transmit(self, plaintext: bytes, to: str | None = None) -> None:
        frame = self.ring.seal(LABELS["data"], plaintext, "data")
        if frame is None:
            raise Refusal("bad_state", "nobody else has the keys yet")
        await self.insist("chat", Chat(ciphertext=encode(frame), to=to))

    def _take_chat(self, sender: str, ciphertext: str) -> None:
        try:
            signer, label, plaintext = self.ring.open(decode(ciphertext), "data")
        except E2eeError:
            return
        roles = {other.participant: other.role for other in self.room.others} if self.room else {}
        if signer != sender or label != LABELS["data"] or sender not in roles:
            return
        asks = self._chat.take(sender, roles[sender], plaintext)
        if asks and sender not in self._answering:
            self._answering.add(sender)
            self._spawn(self._answer(sender))

    async def _answer(self, sender: str) -> None:
        try:
            with suppress(ClientError):
                await self.resend_chat(sender)
        finally:
            self._answering.discard(sender)

    async def _ask_for_chat(self) -> None:
        """Whoever is in with us, until a log comes."""
        wait, self._chat.incomplete = ASK_AGAIN_SECONDS, True
        while self._chat.incomplete:
            with suppress(ClientError):
                await self._transmit(REQUEST)
            await asyncio.sleep(wait)
            wait = min(2 * wait, ASK_AGAIN_SECONDS_MOST)

    # --- events ----------------------------------------------------------------------------------------------------

    def _heard(self, event: str, body: Any) -> None:
        self._events.put_nowait((event, body))

    async def _enter(self, event: str, body: Any) -> RoomView:
        view: RoomView = await self.request(event, body)
        self._present = True
        self._link.resume = view.resume
        self._heard("room", view)
        return view

    async def _return(self) -> None:
        """A new connection after a loss: to the place where we were."""
        if self.desk:
            await self.watch()
        try:
            if self._present:
                await self.arrive()
        except Refusal as refusal:
            if refusal.code == "seat_taken":
                self.taken_over = True
            elif refusal.code in OVER:
                self.ended = "expired"
            else:
                raise
            self._present = False
        self.returns += 1
        self._away = False

    async def _catch_up(self) -> None:
        """Something that was sent is gone: look, and make keys anew if theirs was among it, ask for what was said."""
        with suppress(ClientError):
            self._heard("room", await self.request("snapshot"))
            if self.keys.code is None:
                await self.keys.restart()
        if not self._chat.incomplete:
            await self._ask_for_chat()

    async def _run(self) -> None:
        while True:
            event, body = await self._events.get()
            if event == "room":
                await self._follow(body)
            elif event.startswith("key-"):
                await self.keys.receive(event, body)
                self._share_chat()
            else:
                self._note(event, body)

    async def _follow(self, room: RoomView) -> None:
        if self.room and room.version < self.room.version:
            return
        self.room, self._link.resume = room, room.resume
        await self._media.follow(room.media)
        await self.keys.follow(room)
        self._share_chat()

    def _note(self, event: str, body: Any) -> None:
        match event:
            case "slots":
                self._media.assign(body)
            case "desk":
                self._take_desk(body)
            case "chat":
                self._take_chat(body.sender, body.ciphertext)
            case "told":
                self.told.append(body.message)
            case "speaks":
                self.hear_speech(body)
            case "announced":
                self.announced = body
            case "replay" if not body.complete:
                self._spawn(self._catch_up())
            case "unencrypted":
                self.unencrypted.append(body.source)
            case "ended":
                self.ended, self.declined, self._present = body.reason, body.declined, False
            case "taken-over":
                self.taken_over, self._present = True, False
            case _ if event == DISCONNECT:
                self.losses += 1
                self._away = True

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


def practitioner(rest: Rest, appointment: str, tracks: Tracks | None = None, **options: Any) -> Participant:
    """The practitioner who is signed in with ``rest``; ``options`` as `Participant` has them."""
    return Participant(rest.url, appointment, "practitioner", rest.desk_ticket, tracks, tls=rest.tls, **options)


async def patient(rest: Rest, link: str, tracks: Tracks | None = None, **options: Any) -> Participant:
    """Whoever opens this patient's link (what stands behind its ``#``)."""
    joined = await rest.join(link)

    async def token() -> str:
        return (await rest.join(link)).access_token

    return Participant(rest.url, joined.appointment, joined.role, token, tracks, tls=rest.tls, **options)
