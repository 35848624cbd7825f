"""A participant whose media costs little: frames that were encoded before, and none decoded.

Signaling, keys and encryption are our Python client's; what it sends comes from a script, by simulcast in three sizes,
and of what it gets each sender's first picture is put together and opened, which is to see them.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import cache
from typing import Any

from aiortc import RTCCertificate

from bench.load import script
from bench.load.offers import CODECS, MediaLine, one_way
from bench.load.person import Person
from bench.load.streams import LAYERS, Outgoing
from client.e2ee import LABELS, E2eeError
from client.errors import ClientError
from client.keyring import KeyRing
from client.participant import Participant
from client.rest import Rest
from media.wire import WireError, vp8
from media.wire.rtp import payload_bounds
from signaling.protocol.events import Answer, Line, MediaView, Offer, Slots
from signaling.protocol.groups import Sizes, SlotSize

RATE = 15
"""Pictures a second."""

_BITRATES = (80_000, 250_000, 700_000)
_PACKET = 1_100
_SOUND_SECONDS = 0.020
_REPORT_SECONDS = 1.0
_ASK_SECONDS = 0.5
_LARGE = 0
_SOUND_TYPE = CODECS["audio"][0]

Request = Callable[[str, Any], Awaitable[Any]]


@cache
def frames() -> tuple[list[list[bytes]], list[bytes]]:
    """Two seconds of pictures in each size, one of sound."""
    sizes = zip(LAYERS, _BITRATES, strict=True)
    pictures = [script.pictures(layer.width, layer.height, bitrate, RATE) for layer, bitrate in sizes]
    return pictures, [parts[0] for parts in script.audio()]


class LightMedia:
    """Stands where a participant has its `MediaSession`.

    Attributes:
        answered: when the offer was (monotonic seconds), None before.
        seen: participant → when a picture of theirs was opened first.
    """

    connection = None

    def __init__(self, ring: KeyRing, request: Request, spawn: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        self.answered: float | None = None
        self.seen: dict[str, float] = {}
        self._ring, self._request, self._spawn = ring, request, spawn
        self._fence = 0
        self._person: Person | None = None
        self._parts: dict[int, list[bytes]] = {}
        self._done: set[int] = set()
        self._asked: dict[int, float] = {}
        self._asking: list[int] = []

    async def follow(self, view: MediaView | None) -> None:
        """A higher fence is another worker, more slots are more lines: a new connection."""
        if view is None or not view.ready or view.fence == self._fence:
            return
        self._fence = view.fence
        self._spawn(self._connect(view))

    async def _connect(self, view: MediaView) -> None:
        stage = MediaLine(str(2 * view.slots + 2), "video", "recvonly")
        person = Person(RTCCertificate.generateCertificate(), "127.0.0.1", lines=[*one_way(view.slots, LAYERS), stage])
        lines = [Line(mid="0", use="microphone"), Line(mid="1", use="camera"), Line(mid=stage.mid, use="stage")]
        lines += [Line(mid=str(mid), use="slot", slot=mid // 2 - 1) for mid in range(2, 2 * view.slots + 2)]
        answer: Answer = await self._request("offer", Offer(fence=self._fence, sdp=person.offer(), lines=lines))
        await person.connect(answer.sdp)
        self.answered = time.monotonic()
        before, self._person = self._person, person
        if before is not None:
            await before.close()
        person.heard = self._take
        heights = {slot: LAYERS[-1 if slot == _LARGE else 0].height for slot in range(view.slots)}
        sizes = [SlotSize(slot=slot, height=height) for slot, height in heights.items()]
        with suppress(ClientError):
            await self._request("sizes", Sizes(sizes=sizes))
        await self._run(person)

    async def _run(self, person: Person) -> None:
        """Send what is due, take what came, until this is not the connection any more."""
        pictures, sound = frames()
        began, reported, number, said = time.monotonic(), 0.0, 0, 0
        position = 0
        while self._person is person:
            now = time.monotonic()
            while said <= (now - began) / _SOUND_SECONDS:
                self._say(person, person.out[0], sound[said % len(sound)])
                said += 1
            if number <= (now - began) * RATE:
                number += 1
                if any(stream.wants_keyframe for stream in person.out[1:]):
                    position = 0
                for stream, each in zip(person.out[1:], pictures, strict=True):
                    self._show(person, stream, each[position % len(each)])
                position += 1
            while person.receive():
                pass
            while self._asking:
                person.ask_keyframe(self._asking.pop())
            if now - reported > _REPORT_SECONDS:
                reported = now
                person.send_reports()
            await asyncio.sleep(_SOUND_SECONDS / 2)

    def _say(self, person: Person, stream: Outgoing, frame: bytes) -> None:
        sealed = self._ring.seal(LABELS["microphone"], frame, "audio")
        if sealed is not None:
            stream.say([sealed])
            person.send(stream)

    def _show(self, person: Person, stream: Outgoing, frame: bytes) -> None:
        sealed = self._ring.seal(LABELS["camera"], frame, "video")
        if sealed is None:
            return
        parts = [sealed[at : at + _PACKET] for at in range(0, len(sealed), _PACKET)]
        stream.wants_keyframe = False
        stream.say(parts)
        for _ in parts:
            person.send(stream)

    # --- what comes ----------------------------------------------------------------------------------------------

    def _take(self, packet: memoryview) -> None:
        ssrc = int.from_bytes(packet[8:12], "big")
        bounds = payload_bounds(packet, 0, len(packet))
        if ssrc in self._done or bounds is None or packet[1] & 0x7F == _SOUND_TYPE:
            return
        payload = bytes(packet[bounds[0] : bounds[1]])
        try:
            descriptor = vp8.parse(payload)
        except WireError:
            return
        if descriptor.start and descriptor.partition == 0:
            self._parts[ssrc] = []
        parts = self._parts.get(ssrc)
        if parts is None:
            return
        parts.append(payload[descriptor.size :])
        if packet[1] & 0x80:
            self._open(ssrc, b"".join(self._parts.pop(ssrc)))

    def _open(self, ssrc: int, frame: bytes) -> None:
        """A key frame that opens is a picture. Else one is asked for, as a browser does that cannot decode."""
        try:
            sender, _, _ = self._ring.open(frame, "video")
        except E2eeError:
            return
        if not frame[0] & 1:
            self.seen.setdefault(sender, time.monotonic())
            self._done.add(ssrc)
        elif self._person is not None and time.monotonic() - self._asked.get(ssrc, 0.0) > _ASK_SECONDS:
            self._asked[ssrc] = time.monotonic()
            self._asking.append(ssrc)

    def assign(self, seen: Answer | Slots) -> None:
        """Who is where: another one may be in a line that was somebody's."""
        self._done.clear()

    async def close(self) -> None:
        """Idempotent."""
        person, self._person = self._person, None
        if person is not None:
            await person.close()


class LightParticipant(Participant):
    """Arrives, waits to be called in, then sends and gets as above."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.light = LightMedia(self.ring, self.request, self._spawn)
        self._media = self.light  # type: ignore[assignment]  # has what a participant asks of it


async def by_link(rest: Rest, link: str) -> LightParticipant:
    """Whoever opens this link (what stands behind its ``#``)."""
    joined = await rest.join(link)

    async def token() -> str:
        return (await rest.join(link)).access_token

    return LightParticipant(rest.url, joined.appointment, joined.role, token)
