"""One incoming RTP stream of a publication: checked, kept for a second, forwarded to the slots that show it."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any

from media.forwarding.audience import Audience
from media.forwarding.loss import MissingPackets
from media.forwarding.numbering import Numbering
from media.forwarding.reports import Reception
from media.forwarding.ring import Ring
from media.forwarding.trust import FrameGuard
from media.net.arena import SLOT, Arena
from media.session import dtls
from media.session.bandwidth import Rate
from media.session.dtls import length_p
from media.wire.rtp import EXTENDED, ONE_BYTE_FORM, SEQUENCE, find_extension, payload_bounds, send_time
from media.wire.trailer import LENGTHS, MAGIC, WHOLE, has_trailer
from media.wire.vp8 import is_keyframe, picture_height, temporal_layer

if TYPE_CHECKING:
    from media.forwarding.publication import Publication

RING_PACKETS = {"video": 1_024, "audio": 128}
_MAX_JUMP = 3_000
_SILENT = 1.0
_HEAD = Struct("!BBHI4xIB").unpack_from
"""First byte, marker and type, sequence number, timestamp; of an extension, if there is one, form and words, and the
first byte after them.
"""

_TAGGED = Struct("!BH").unpack_from


class Stream(Numbering, Audience):
    """Packets carry dense numbers: those of padding only are taken out, so that a subscriber sees no gap there.

    Of a packet in order `receive` takes the shortest way, without a call that is not needed: it is most of the
    relay's work. Everything else goes through `_receive_unordered`, `_accept` and `_accept_late`.

    Attributes:
        layer: its index among the encodings of the publication.
        ssrc: of the stream that is bound now, None before the first packet.
        heard: when the last packet of it came, repairs aside.
        octets, repair_octets: of its packets, and of those that repeat one.
        height: of the newest key frame's picture, in lines; 0: not known.
        temporal_layers: the highest that was named so far; 0 where none is.
    """

    def __init__(self, publication: Publication, layer: int) -> None:
        Numbering.__init__(self)
        Audience.__init__(self)
        form, uplink = publication.form, publication.uplink
        self.publication = publication
        self.layer = layer
        self.audio = publication.audio
        self.ssrc: int | None = None
        self.rtx_ssrc: int | None = None
        self.heard = float("-inf")
        self.octets = self.repair_octets = 0
        self.height = 0
        self.temporal_layers = 0
        self.ring = Ring(RING_PACKETS[form.kind])
        self.missing = MissingPackets()
        self.reception = Reception(form.clock_rate)
        self.rate = Rate(float("-inf"))
        self._form = form
        self._uplink = uplink
        self._srtp: Any = None
        self._guard = FrameGuard()
        # Timestamp of the frame whose packets may go out as they come, -1 for none.
        self._passing = -1
        self._stopped = False
        self._type = form.payload_type
        self._arrivals = uplink.arrivals
        # Where in a packet the transport-wide sequence number was last time: streams keep their layout. It is the same
        # if form, words and the element before it (or its own, as the first) are.
        self._tag = form.transport_sequence << 4 | 1 if form.transport_sequence else 0
        self._tag_at, self._tag_shape, self._tag_lead = 16, 0, 0

    def alive(self, now: float) -> bool:
        """Whether packets of it came just now: a layer that a publisher does not send is none."""
        return now - self.heard < _SILENT

    @property
    def behind(self) -> float | None:
        """Of a sound, the share that its worst listener loses; None of a picture."""
        return max((slot.reported.share.value for slot in self.live), default=0.0) if self.audio else None

    def recall(self) -> None:
        """All of it is here from now on: what it is sent to is about to change. Without a pump it always is."""

    def expire(self, now: float) -> None:
        """Drop what is older than a second, to the step that this is called in."""
        self.ring.expire(now)

    def end(self) -> None:
        """It is published no more."""

    # --- in ----------------------------------------------------------------------------------------------------------

    def bind(self, ssrc: int, sequence: int, srtp: Any) -> None:
        """Packets of ``ssrc``, decrypted by ``srtp``, are this stream from now on; the first has ``sequence``."""
        self.ssrc = ssrc
        self._srtp = srtp
        self.begin(sequence)
        self.reception.begin(ssrc, self.highest)
        self.missing.clear()
        self._guard, self._passing = FrameGuard(), -1
        for slot in list(self.live):
            slot.pause()
            self.suspend(slot)

    def receive(self, arena: Arena, index: int, length: int, now: float, decrypted: bool = False) -> None:
        """A packet of ``ssrc`` in slot ``index``. Of the header nothing is encrypted."""
        view, base = arena.view, index * SLOT
        first, second, sequence, timestamp, shape, lead = _HEAD(view, base)
        if not decrypted:
            length_p[0] = length
            if result := dtls.unprotect(self._srtp, arena.pointers[index], length_p):
                self._uplink.counters.refused(result)
                return
            length = length_p[0]
        self.heard = now
        self.octets += length
        end = base + length
        if first == EXTENDED:
            start = base + 16 + 4 * (shape & 0xFFFF)
            if self._tag:
                tag, wide = _TAGGED(view, base + self._tag_at)
                if tag == self._tag and shape == self._tag_shape and lead == self._tag_lead:
                    self._arrivals[wide] = arena.times[4 * index + 3]
                else:
                    self._find_arrival(arena, index, length)
        else:
            start, end = payload_bounds(view, base, length) or (end + 1, end)
            if self._tag:
                self._find_arrival(arena, index, length)
        number = self.highest + 1
        if second & 0x7F != self._type or start >= end or (sequence - number) & 0xFFFF:
            self._receive_unordered(sequence, timestamp, second, arena, (start, end), now)
            return
        self.highest = number
        self.reception.received += 1
        payload = arena.buffer[start:end]
        marker = second & 0x80
        # Most are in the middle of a frame that may go out as it comes.
        if (timestamp != self._passing or marker) and not self._goes_straight(timestamp, payload, now):
            self._accept(number - self.shift, timestamp, marker, payload, now)
            return
        number -= self.shift
        ring = self.ring
        index = number & ring.mask
        ring.newest = ring.numbers[index] = number
        ring.stamps[index] = timestamp << 8 | marker
        ring.payloads[index] = payload
        time = arena.send_time
        for slot in self.live:
            slot.forward(number, timestamp, marker, payload, time)

    def _goes_straight(self, timestamp: int, payload: bytes, now: float) -> bool:
        """Whether a packet in order is the end of a frame that may go out as it comes, or sound, and has a trailer."""
        audio = self.audio
        if self.waiting or self._stopped or not (audio or timestamp == self._passing):
            return False
        if len(payload) <= WHOLE or payload[-2:] != MAGIC or payload[-3] & LENGTHS:
            return False
        if audio:
            self.reception.frame(timestamp, now)
        else:
            self._guard.ended = True
        return True

    def receive_repair(self, arena: Arena, index: int, length: int, now: float, decrypted: bool = False) -> None:
        """A packet of ``rtx_ssrc`` (RFC 4588): a lost packet, or an old one sent to probe for bandwidth."""
        view, base = arena.view, index * SLOT
        if not decrypted:
            length_p[0] = length
            if result := dtls.unprotect(self._srtp, arena.pointers[index], length_p):
                self._uplink.counters.refused(result)
                return
            length = length_p[0]
        self.repair_octets += length
        self._find_arrival(arena, index, length)
        bounds = payload_bounds(view, base, length)
        _, second, _, timestamp, _, _ = _HEAD(view, base)
        if bounds is None or second & 0x7F != self._form.rtx_payload_type:
            self._uplink.counters.malformed += 1
            return
        start, end = bounds
        if end - start > 2 and self.ssrc is not None:
            sequence = SEQUENCE.unpack_from(view, start)[0]
            if self.extend(sequence) in self.missing.numbers:
                second = second & 0x80 | self._type
                self._receive_unordered(sequence, timestamp, second, arena, (start + 2, end), now)

    def _find_arrival(self, arena: Arena, index: int, length: int) -> None:
        if not self._tag:
            return
        view, base = arena.view, index * SLOT
        at, size = find_extension(view, base, length, self._form.transport_sequence)
        if size != 2:
            return
        self._arrivals[view[at] << 8 | view[at + 1]] = arena.times[4 * index + 3]
        first, _, _, _, shape, lead = _HEAD(view, base)
        place = at - 1 - base
        if first == EXTENDED and shape >> 16 == ONE_BYTE_FORM and place in (16, 18 + (lead & 0x0F)) and lead > 0x0F:
            self._tag_at, self._tag_shape, self._tag_lead = place, shape, lead

    def _receive_unordered(
        self, sequence: int, timestamp: int, second: int, arena: Arena, bounds: tuple[int, int], now: float
    ) -> None:
        """After a gap, late, repaired, of padding only, or not to be taken at all."""
        start, end = bounds
        if second & 0x7F != self._type or start > end:
            self._uplink.counters.malformed += 1
            return
        number, payload = self.extend(sequence), arena.buffer[start:end]
        if abs(number - self.highest) > _MAX_JUMP:
            assert self.ssrc is not None
            self.bind(self.ssrc, sequence, self._srtp)
            number = self.highest + 1
        self.reception.received += 1
        if number > self.highest:
            self._receive_newest(number, timestamp, second & 0x80, payload, now)
        elif self.missing.arrived(number) or not self._form.nack:
            dense = self.dense(number)
            # Forwarding a number twice would use an SRTP nonce twice.
            if dense is not None and not self.ring.knows(dense):
                self._accept_late(dense, timestamp, second & 0x80, payload, now)

    def _receive_newest(self, number: int, timestamp: int, marker: int, payload: bytes, now: float) -> None:
        if number > self.highest + 1 and self._form.nack:
            if not self.missing.add(self.highest + 1, number, now):
                self.publication.request_keyframe(self, now)
            self._uplink.attend(self.publication)
        self.highest = number
        if payload:
            self._accept(number - self.shift, timestamp, marker, payload, now)
        else:
            self.close(number)

    # --- checked -----------------------------------------------------------------------------------------------------

    def _accept(self, number: int, timestamp: int, marker: int, payload: bytes, now: float) -> None:
        """The newest packet. Of a frame that is not known to be encrypted no packet leaves before its last one."""
        self.reception.frame(timestamp, now)
        if self._stopped:
            return
        if self.audio:
            if has_trailer(payload):
                self._emit(number, timestamp, marker, payload, now)
            else:
                self.publication.block()
            return
        guard = self._guard
        if timestamp != guard.frame:
            guard.begin(timestamp)
            if self.publication.layered and (named := temporal_layer(payload)) and named[0] > self.temporal_layers:
                self.temporal_layers = named[0]
        if marker and not guard.end(payload):
            self.publication.block()
        elif guard.trusted:
            if guard.held:
                self._release(now)
            self._passing = timestamp
            self._emit(number, timestamp, marker, payload, now)
        else:
            self._passing = -1
            if not guard.hold(number, timestamp, marker, payload):
                self.publication.request_keyframe(self, now)

    def _accept_late(self, number: int, timestamp: int, marker: int, payload: bytes, now: float) -> None:
        if self.publication.blocked:
            return
        guard = self._guard
        if self.audio:
            if payload and not has_trailer(payload):
                self.publication.block()
                return
        elif marker and payload and not guard.end_late(timestamp, payload):
            self.publication.block()
            return
        elif not guard.trusted and timestamp == guard.frame:
            guard.hold(number, timestamp, marker, payload)
            return
        self._emit(number, timestamp, marker, payload, now)
        if guard.trusted and guard.held:
            self._release(now)

    def _release(self, now: float) -> None:
        for number, timestamp, marker, payload in self._guard.release():
            # While it was held a viewer may have missed it, and it came again: twice would use an SRTP nonce twice.
            if not self.ring.knows(number):
                self._emit(number, timestamp, marker, payload, now)

    def stop(self) -> None:
        """Nothing of it goes out any more, nor is anything asked for."""
        self._stopped = True
        self._passing = -1
        self._guard.release()
        self.missing.clear()

    # --- out ---------------------------------------------------------------------------------------------------------

    def _emit(self, number: int, timestamp: int, marker: int, payload: bytes, now: float) -> None:
        late = number < self.ring.newest
        if late:
            self.ring.keep_late(number, timestamp << 8 | marker, payload)
        else:
            self.ring.keep(number, timestamp << 8 | marker, payload)
        if self.live:
            time = send_time(now)
            for slot in self.live:
                if not late or number >= slot.first:
                    slot.forward(number, timestamp, marker, payload, time)
        if self.audio:
            if self.waiting:
                self.start_waiting(number, now)
        elif payload and payload[0] & 0x17 == 0x10 and is_keyframe(payload):
            self._begin_anew(number, payload, now)
        elif self.waiting and not self.publication.asking and not all(slot.congested for slot in self.waiting):
            # The stream's own first key frame was missed, or a connection has room again.
            self.publication.request_keyframe(self, now)

    def _begin_anew(self, number: int, payload: bytes, now: float) -> None:
        """A key frame begins."""
        self.missing.forget_before(self.source_number(number))
        self.publication.keyframe_arrived(self)
        self.keyframe_at = number
        self.height = picture_height(payload)
        for slot in self.live:
            slot.wishes.arrived()
        if self.waiting:
            self.start_waiting(number, now)

    # --- asking ------------------------------------------------------------------------------------------------------

    def fetch(self, number: int, now: float) -> None:
        """A subscriber lacks a packet that the ring has not: it never came, or is too old to be of use."""
        if self._form.nack and not self.ring.knows(number):
            self.missing.ask(self.source_number(number), now)
            self._uplink.attend(self.publication)

    def ask_for_missing(self, now: float) -> None:
        """To be called every 20 ms while something is missing."""
        wanted, given_up = self.missing.due(now, self._uplink.rtt)
        if wanted and self.ssrc is not None:
            self._uplink.ask_again(self.ssrc, [number & 0xFFFF for number in wanted])
        if given_up:
            self.publication.request_keyframe(self, now)
