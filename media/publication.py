"""One source of a peer: what comes in on its SSRC, checked, kept for a second, forwarded to slots."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from media.control import Source
from media.keyframes import KeyframeRequests
from media.loss import MissingPackets
from media.net.arena import Arena
from media.numbering import Numbering
from media.reports import Reception
from media.ring import Ring
from media.trust import FrameGuard
from media.wire.rtp import EXTENDED, HEADER, SEQUENCE, find_extension, payload_bounds, send_time
from media.wire.trailer import has_trailer
from media.wire.vp8 import is_keyframe

if TYPE_CHECKING:
    from media.slot import Slot

_RING_PACKETS = {"video": 1_024, "audio": 128}
_REPLAYED_PACKETS = 40
_SECOND_KEYFRAME = 1.0
_MAX_JUMP = 3_000
MAX_PAYLOAD = 1_900


@dataclass(frozen=True, slots=True)
class Format:
    """What was agreed on for an m-line on which a peer sends; ids are 0 and types None where nothing was."""

    kind: str
    payload_type: int
    rtx_payload_type: int | None
    clock_rate: int
    transport_sequence: int
    nack: bool


class Uplink(Protocol):
    """What a publication needs of its peer."""

    arrivals: dict[int, float]

    @property
    def rtt(self) -> float: ...

    def ask_keyframe(self, publication: Publication) -> None: ...
    def ask_again(self, publication: Publication, sequences: list[int]) -> None: ...
    def report_unencrypted(self, publication: Publication) -> None: ...
    def attend(self, publication: Publication) -> None: ...


class Publication:
    """Numbers are dense: packets of padding only are taken out, so that a subscriber sees no gap where they were.

    Attributes:
        ssrc: of the stream that is bound now, None before the first packet.
        live: slots that get every packet.
        waiting: slots that start at the next key frame (audio: at the next packet).
        blocked: a frame without the end of an encrypted frame was seen; nothing is forwarded any more.
    """

    def __init__(self, peer: str, source: Source, form: Format, uplink: Uplink) -> None:
        self.peer = peer
        self.source = source
        self.form = form
        self.audio = form.kind == "audio"
        self.ssrc: int | None = None
        self.rtx_ssrc: int | None = None
        self.live: list[Slot] = []
        self.waiting: list[Slot] = []
        self.blocked = False
        self.heard = float("-inf")
        self.malformed = 0
        self.numbering = Numbering()
        self.ring = Ring(_RING_PACKETS[form.kind])
        self.missing = MissingPackets()
        self.keyframes = KeyframeRequests()
        self.reception = Reception(form.clock_rate)
        self._uplink = uplink
        self._guard = FrameGuard()
        self._keyframe_at = -1
        self._arrivals = uplink.arrivals
        # Where in a packet the transport-wide sequence number was last time: streams keep their layout.
        self._tag = form.transport_sequence << 4 | 1
        self._tag_at = 16

    # --- in ----------------------------------------------------------------------------------------------------------

    def bind(self, ssrc: int, sequence: int) -> None:
        """Packets of ``ssrc`` are this source from now on; the first has ``sequence``."""
        self.ssrc = ssrc
        self.numbering.begin(sequence)
        self.reception.begin(ssrc, self.numbering.highest)
        self.missing.clear()
        self._guard = FrameGuard()
        for slot in self.live:
            slot.pause()
        self.waiting += self.live
        self.live.clear()

    def receive(self, arena: Arena, base: int, length: int, now: float) -> None:
        """A decrypted RTP packet of ``ssrc`` at ``base``."""
        view = arena.view
        first, second, sequence, timestamp, _ = HEADER.unpack_from(view, base)
        if first == EXTENDED:
            start = base + 16 + 4 * (view[base + 14] << 8 | view[base + 15])
            end = base + length
        else:
            start, end = payload_bounds(view, base, length) or (base + 1, base)
        at = base + self._tag_at
        if view[at] == self._tag:
            self._arrivals[view[at + 1] << 8 | view[at + 2]] = now
        elif self._tag > 15:
            self._find_arrival(view, base, length, now)
        if second & 0x7F != self.form.payload_type or start > end or end - start > MAX_PAYLOAD:
            self.malformed += 1
            return
        self.heard = now
        numbering = self.numbering
        if (sequence - numbering.highest) & 0xFFFF == 1 and start < end:
            numbering.highest += 1
            self.reception.count(timestamp, now)
            self._accept(numbering.highest - numbering.shift, timestamp, second & 0x80, arena.buffer[start:end], now)
        else:
            self._receive_unordered(sequence, timestamp, second & 0x80, arena.buffer[start:end], now)

    def receive_repair(self, arena: Arena, base: int, length: int, now: float) -> None:
        """A decrypted packet of ``rtx_ssrc`` (RFC 4588): a lost packet, or an old one sent to probe for bandwidth."""
        view = arena.view
        self._find_arrival(view, base, length, now)
        bounds = payload_bounds(view, base, length)
        _, second, _, timestamp, _ = HEADER.unpack_from(view, base)
        if bounds is None or second & 0x7F != self.form.rtx_payload_type:
            self.malformed += 1
            return
        start, end = bounds
        if 2 < end - start <= MAX_PAYLOAD and self.ssrc is not None:
            sequence = SEQUENCE.unpack_from(view, start)[0]
            number = self.numbering.extend(sequence)
            if number in self.missing.numbers:
                self._receive_unordered(sequence, timestamp, second & 0x80, arena.buffer[start + 2 : end], now)

    def _find_arrival(self, view: memoryview, base: int, length: int, now: float) -> None:
        if self.form.transport_sequence:
            at, size = find_extension(view, base, length, self.form.transport_sequence)
            if size == 2:
                self._tag_at = at - 1 - base
                self._arrivals[view[at] << 8 | view[at + 1]] = now

    def _receive_unordered(self, sequence: int, timestamp: int, marker: int, payload: bytes, now: float) -> None:
        """After a gap, late, repaired, or of padding only."""
        numbering, missing = self.numbering, self.missing
        number = numbering.extend(sequence)
        gap = number - numbering.highest
        if abs(gap) > _MAX_JUMP:
            assert self.ssrc is not None
            self.bind(self.ssrc, sequence)
            number, gap = numbering.highest + 1, 1
        if gap > 0:
            if gap > 1 and self.form.nack:
                if not missing.add(numbering.highest + 1, number, now):
                    self.request_keyframe(now)
                self._uplink.attend(self)
            self.reception.count(timestamp, now)
            numbering.highest = number
            if payload:
                self._accept(number - numbering.shift, timestamp, marker, payload, now)
            else:
                numbering.close(number)
            return
        self.reception.received += 1
        if not missing.arrived(number) and self.form.nack:
            return
        dense = numbering.dense(number)
        if dense is not None and self.ring.get(dense) is None:
            self._accept_late(dense, timestamp, marker, payload, now)

    # --- checked -----------------------------------------------------------------------------------------------------

    def _accept(self, number: int, timestamp: int, marker: int, payload: bytes, now: float) -> None:
        """The newest packet. Of a frame that is not known to be encrypted no packet leaves before its last one."""
        if self.blocked:
            return
        if self.audio:
            if not has_trailer(payload):
                self._block()
                return
            self._emit(number, timestamp, marker, payload, now)
            return
        guard = self._guard
        if timestamp != guard.frame:
            guard.begin(timestamp)
        if marker and not guard.end(payload):
            self._block()
        elif guard.trusted:
            if guard.held:
                self._release(now)
            self._emit(number, timestamp, marker, payload, now)
        elif not guard.hold(number, timestamp, marker, payload):
            self.request_keyframe(now)

    def _accept_late(self, number: int, timestamp: int, marker: int, payload: bytes, now: float) -> None:
        if self.blocked:
            return
        guard = self._guard
        if self.audio:
            if payload and not has_trailer(payload):
                self._block()
                return
        elif marker and payload and not guard.end_late(timestamp, payload):
            self._block()
            return
        elif not guard.trusted and timestamp == guard.frame:
            guard.hold(number, timestamp, marker, payload)
            return
        self._emit(number, timestamp, marker, payload, now)
        if guard.trusted and guard.held:
            self._release(now)

    def _release(self, now: float) -> None:
        for number, timestamp, marker, payload in self._guard.release():
            self._emit(number, timestamp, marker, payload, now)

    def _block(self) -> None:
        self.blocked = True
        self._guard.release()
        self.missing.clear()
        self._uplink.report_unencrypted(self)

    # --- out ---------------------------------------------------------------------------------------------------------

    def _emit(self, number: int, timestamp: int, marker: int, payload: bytes, now: float) -> None:
        ring = self.ring
        in_order = number > ring.newest
        ring.put(number, timestamp, marker, payload)
        if self.live:
            time = send_time(now)
            for slot in self.live:
                if in_order or number >= slot.first:
                    slot.forward(number, timestamp, marker, payload, time)
        if self.audio:
            if self.waiting:
                self._start_waiting(number, now)
        elif payload and payload[0] & 0x17 == 0x10 and is_keyframe(payload):
            self.missing.forget_before(self.numbering.source(number))
            self.keyframes.arrived()
            self._keyframe_at = number
            if self.waiting:
                self._start_waiting(number, now)

    def _start_waiting(self, number: int, now: float) -> None:
        """Slots that waited get all from ``number`` on; what came after it already is in the ring."""
        starting, self.waiting = self.waiting, []
        for slot in starting:
            self._start(slot, number, now)

    def _start(self, slot: Slot, number: int, now: float) -> None:
        ring, time = self.ring, send_time(now)
        for index in range(number, ring.newest + 1):
            packet = ring.get(index)
            if packet is not None:
                timestamp, marker, payload = packet
                if index == number:
                    slot.begin(number, timestamp, now)
                slot.forward(index, timestamp, marker, payload, time)
        self.live.append(slot)
        if not self.audio and slot.take_first_start():
            # A viewer's pipeline may lose the very first key frame although every packet of it arrived.
            self.keyframes.schedule(now + _SECOND_KEYFRAME)
            self._uplink.attend(self)

    def subscribe(self, slot: Slot, now: float) -> None:
        """Forward to ``slot`` from the next key frame on, or from the last one if it came just now."""
        if slot in self.live or slot in self.waiting:
            return
        number = self._keyframe_at
        if not self.audio and 0 <= self.ring.newest - number < _REPLAYED_PACKETS and self.ring.get(number) is not None:
            self._start(slot, number, now)
            return
        self.waiting.append(slot)
        self.request_keyframe(now)

    def unsubscribe(self, slot: Slot) -> None:
        """Idempotent."""
        for slots in (self.live, self.waiting):
            if slot in slots:
                slots.remove(slot)

    def suspend(self, slot: Slot) -> None:
        """Forward no more to ``slot`` until the next key frame: its connection is full."""
        if slot in self.live:
            self.live.remove(slot)
            self.waiting.append(slot)

    # --- asking ------------------------------------------------------------------------------------------------------

    def request_keyframe(self, now: float) -> None:
        """Somebody needs a key frame."""
        if not self.audio and not self.blocked:
            if self.keyframes.request(now):
                self._uplink.ask_keyframe(self)
            self._uplink.attend(self)

    def fetch(self, number: int, now: float) -> None:
        """A subscriber lacks a packet that the ring does not have."""
        if self.form.nack and number > self.ring.newest - self.ring.mask:
            self.missing.ask(self.numbering.source(number), now)
            self._uplink.attend(self)

    def tick(self, now: float) -> bool:
        """Every 20 ms while it needs attention. Returns whether it still does."""
        if self.missing:
            wanted, given_up = self.missing.due(now, self.numbering.highest, self._uplink.rtt)
            if wanted:
                self._uplink.ask_again(self, [number & 0xFFFF for number in wanted])
            if given_up:
                self.request_keyframe(now)
        if self.keyframes.due(now, bool(self.waiting)):
            self._uplink.ask_keyframe(self)
        return bool(self.missing) or self.keyframes.active


Handler = Callable[[Arena, int, int, float], None]
