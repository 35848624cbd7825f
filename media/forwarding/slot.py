"""An m-line on which a peer receives: one outgoing stream that shows one source after another."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from media.control import STAGE, Source
from media.forwarding.keyframes import ViewerWishes
from media.forwarding.padding import queue_padding
from media.forwarding.reported import Reported
from media.forwarding.thinning import ALL
from media.net.arena import SLOT
from media.session import dtls
from media.session.dtls import length_p
from media.wire import rtcp
from media.wire.rtp import (
    EXTENDED,
    HEADER,
    HEADER_WITH_SEND_TIME,
    MARKER,
    PLAIN,
    SEQUENCE,
    one_byte_extensions,
)
from media.wire.sdp import Outgoing

if TYPE_CHECKING:
    from media.forwarding.publication import Publication
    from media.forwarding.stream import Stream
    from media.session.transport import Transport

_PACK_WITH_SEND_TIME = HEADER_WITH_SEND_TIME.pack_into
_NAMING_SECONDS = 2.0
_RESENDS = 3
_LEAST_RESEND_WAIT = 0.020
_RESEND_BUDGET = 256
_REMEMBERED_RESENDS = 1_024
_FRAME_SECONDS = 1 / 30


@dataclass(frozen=True, slots=True)
class SlotFormat:
    """What was agreed on for the m-line; ids are 0 and types None where nothing was."""

    mid: str
    kind: str
    payload_type: int
    rtx_payload_type: int | None
    clock_rate: int
    send_time: int
    mid_extension: int


class Slot:
    """Numbers, times and ids of its own, whatever it shows: a stream's packets are renumbered into them.

    Attributes:
        number: slot number, -1 for the stage.
        first: dense number of the stream's first packet here; earlier ones are not forwarded.
        source: what it shows.
        stream: of which it gets packets, or got them last.
        held: nothing is sent, for want of bandwidth or because nobody looks.
        wishes: the viewer's for key frames.
        reported: what the viewer says of it.
        renewed: its times went on after a break; from a sender report the receiver learns how.
    """

    def __init__(self, number: int, form: SlotFormat, transport: Transport, ssrcs: tuple[int, int], cname: str) -> None:
        self.number = number
        self.form = form
        self.transport = transport
        self.video = form.kind == "video"
        self.ssrc, self.rtx_ssrc = ssrcs
        self.cname = cname
        self.source: Publication | None = None
        self.stream: Stream | None = None
        self.held = False
        self.renewed = False
        self.wishes = ViewerWishes()
        self.first = 0
        self.packets = 0
        self.octets = 0
        self.resent = 0
        self._next = secrets.randbelow(0x8000) + 0x10000
        self._offset = 0
        self._timestamp_offset = 0
        self._last_timestamp = 0
        self._last_at: float | None = None
        self._highest = -1
        self._starts = 0
        self._rtx_sequence = secrets.randbelow(0x8000)
        self._resends: dict[int, tuple[int, float]] = {}
        self._allowance = float(_RESEND_BUDGET)
        self._counted = 0
        self.reported = Reported()
        self._type = form.payload_type
        self._time_tag = (form.send_time << 4 | 2) << 24
        self._naming = b""
        self._named_until: float | None = None
        # Packets carry abs-send-time and nothing else.
        self._short = form.send_time > 0

    @property
    def use(self) -> Source:
        """Which of a peer's sources belongs here."""
        if self.number == STAGE:
            return "screen"
        return "camera" if self.video else "microphone"

    @property
    def congested(self) -> bool:
        """Whether its connection takes no more for now."""
        return self.video and self.transport.outbox.congested

    def outgoing(self) -> Outgoing:
        """As it is announced. Both tracks of a slot share stream and CNAME: a receiver plays them in sync."""
        stream = "stage" if self.number == STAGE else f"slot{self.number}"
        rtx = self.rtx_ssrc if self.form.rtx_payload_type is not None else None
        return Outgoing(self.ssrc, rtx, self.cname, stream, f"{stream}-{self.form.kind}")

    # --- source ------------------------------------------------------------------------------------------------------

    def show(self, source: Publication | None, now: float) -> None:
        """Show another source, or none; or go on with the same after a pause of the connection."""
        if source is not self.source:
            self._end()
            if self.source is not None:
                self.source.shown_by.remove(self)
            if source is not None:
                source.shown_by.append(self)
            self.source = source
            self.held = False
            self.wishes = ViewerWishes()
        if source is not None and self.transport.ready and not self.held and not source.sent_to(self):
            self._choose(source, now).subscribe(self, now)

    def _choose(self, source: Publication, now: float) -> Stream:
        """Where to begin. Who cannot turn to another stream later gets the best."""
        return source.largest(now)

    @property
    def current(self) -> tuple[int, int] | None:
        """Layer and highest temporal layer of what it is sent; None for nothing."""
        return None if self.held or self.stream is None else (self.stream.layer, ALL)

    def hold_back(self) -> None:
        """Send nothing until `choose`. Idempotent."""
        if not self.held:
            self.held = True
            self._end()

    def choose(self, layer: int, temporal: int, now: float) -> None:
        """Go on. Idempotent. Layers are for slots that can turn from one to another."""
        del layer, temporal
        if self.held:
            self.held = False
            self.show(self.source, now)

    def _end(self) -> None:
        if self.source is not None:
            self.source.unsubscribe(self)
        self.pause()
        self.stream = None

    def want_keyframe(self, now: float) -> None:
        """The viewer lacks one."""
        if self.stream is not None and self.source is not None and self.wishes.allow(now):
            self.source.request_keyframe(self.stream, now)

    def pause(self) -> None:
        """The numbers of what was shown end here."""
        if self._highest >= 0:
            assert self.stream is not None
            self._next = self._highest + self._offset + 1
            self._last_timestamp = self._last_stamp(self.stream)
            self._last_at = self.stream.heard
            self._highest = -1

    def _last_stamp(self, stream: Stream) -> int:
        return stream.ring.timestamp(self._highest)

    def turn_to(self, stream: Stream) -> None:
        """It starts to get packets of ``stream``, and gets none of another any more."""
        before = self.stream
        if before is not stream:
            if before is not None:
                before.unsubscribe(self)
            self.pause()
            self.stream = stream

    def begin(self, number: int, timestamp: int, now: float) -> None:
        """The stream starts, or goes on after a pause, with its packet ``number``."""
        self.first = number
        self._offset = self._next - number
        if self._last_at is not None:
            elapsed = max(now - self._last_at, _FRAME_SECONDS) * self.form.clock_rate
            self._timestamp_offset += self._last_timestamp + int(elapsed) - timestamp
            self.renewed = True
        self._resends.clear()
        if self._named_until is None:
            self._name(now)

    def _name(self, now: float) -> None:
        """For 2 s packets carry the MID, for receivers that do not go by the announced SSRC."""
        self._named_until = now + _NAMING_SECONDS
        if self.form.mid_extension and 0 < len(self.form.mid) <= 16:
            elements = [(self.form.mid_extension, self.form.mid.encode())]
            if self.form.send_time:
                elements.insert(0, (self.form.send_time, bytes(3)))
            self._naming = one_byte_extensions(elements)
            self._short = False

    def take_first_start(self) -> bool:
        """Whether this was the first time that something started here."""
        self._starts += 1
        return self._starts == 1

    # --- packets -----------------------------------------------------------------------------------------------------

    def forward(self, number: int, timestamp: int, marker: int, payload: bytes, time: int) -> None:
        """Send a packet of the stream. ``time``: abs-send-time."""
        outbox, view, buffer, pointers, queue, destination, srtp = self.transport.way
        if self.video and outbox.congested:
            self._pause_until_there_is_room()
            return
        count = outbox.count
        base = count * SLOT
        if self._short:
            _PACK_WITH_SEND_TIME(
                view,
                base,
                EXTENDED,
                marker | self._type,
                (number + self._offset) & 0xFFFF,
                (timestamp + self._timestamp_offset) & 0xFFFF_FFFF,
                self.ssrc,
                0xBEDE,
                1,
                self._time_tag | time,
            )
            start = base + 20
        else:
            start = self._write_header(number, timestamp, marker, time, base)
        size = len(payload)
        end = start + size
        buffer[start:end] = payload
        length_p[0] = end - base
        if dtls.protect(srtp, pointers[count], length_p):
            self.transport.failed += 1
            return
        queue(destination, length_p[0])
        self.packets += 1
        self.octets += size
        if number > self._highest:
            self._highest = number

    # --- what a pump forwards it by ---------------------------------------------------------------------------------

    @property
    def plain(self) -> bool:
        """Whether every packet of the stream goes out, with nothing but its header written anew."""
        return self.transport.ready

    def offsets(self) -> tuple[int, int, int]:
        """What is added to a stream's numbers and timestamps, and the highest number that was forwarded."""
        return self._offset, self._timestamp_offset, self._highest

    def extension(self) -> tuple[bytes, int]:
        """The extension of each packet's header, and where in the packet its time stands; 0 for nowhere."""
        if self._short:
            return one_byte_extensions([(self.form.send_time, bytes(3))]), 17
        return self._naming, 17 if self._naming and self.form.send_time else 0

    def restore(self, highest: int, packets: int, octets: int, failed: int) -> None:
        """Go on from where the pump went on meanwhile."""
        self._highest = highest
        self.packets += packets
        self.octets += octets
        self.transport.failed += failed

    def _pause_until_there_is_room(self) -> None:
        assert self.stream is not None
        self.stream.suspend(self)
        self.pause()

    def _write_header(self, number: int, timestamp: int, marker: int, time: int, base: int) -> int:
        """The general case: with MID, or without abs-send-time. Returns where the payload starts."""
        outbox, naming = self.transport.outbox, self._naming
        first, out = EXTENDED if naming else PLAIN, (number + self._offset) & 0xFFFF
        timestamp = (timestamp + self._timestamp_offset) & 0xFFFF_FFFF
        HEADER.pack_into(outbox.view, base, first, marker | self._type, out, timestamp, self.ssrc)
        outbox.buffer[base + 12 : base + 12 + len(naming)] = naming
        if naming and self.form.send_time:
            outbox.buffer[base + 17 : base + 20] = time.to_bytes(3, "big")
        return base + 12 + len(naming)

    def resend(self, sequences: list[int], now: float) -> None:
        """Answer a NACK over RTX (RFC 4588), each packet at most three times and not more than was sent at all.

        Without RTX there is no answer: sending a packet again under its own number with another header would use
        an SRTP nonce twice.
        """
        stream = self.stream
        self.wishes.lost()
        if stream is None or self._highest < 0 or self.form.rtx_payload_type is None or not self.transport.ready:
            return
        self._allowance = min(float(_RESEND_BUDGET), self._allowance + self.packets - self._counted)
        self._counted = self.packets
        highest_out = self._highest + self._offset
        for sequence in sequences:
            number = highest_out - ((highest_out - sequence) & 0xFFFF) - self._offset
            if number < self.first or self._allowance < 1:
                continue
            times, at = self._resends.get(number, (0, 0.0))
            if times >= _RESENDS or (times and now - at < max(self.transport.rtt / 2, _LEAST_RESEND_WAIT)):
                continue
            packet = self._stored(stream, number, now)
            if packet is None:
                continue
            self._allowance -= 1
            if len(self._resends) >= _REMEMBERED_RESENDS:
                self._resends.clear()
            self._resends[number] = (times + 1, now)
            self._send_repair(number, *packet)

    def _stored(self, stream: Stream, number: int, now: float) -> tuple[int, int, bytes] | None:
        """Timestamp, marker and payload of a packet that went out as ``number``; what never came is asked for."""
        packet = stream.ring.get(number)
        if packet is None:
            stream.fetch(number, now)
        return packet

    def _send_repair(self, number: int, timestamp: int, marker: int, payload: bytes) -> None:
        transport, outbox = self.transport, self.transport.outbox
        base = outbox.count * SLOT
        self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
        timestamp = (timestamp + self._timestamp_offset) & 0xFFFF_FFFF
        second = marker & MARKER | (self.form.rtx_payload_type or 0)
        HEADER.pack_into(outbox.view, base, PLAIN, second, self._rtx_sequence, timestamp, self.rtx_ssrc)
        SEQUENCE.pack_into(outbox.view, base + 12, (number + self._offset) & 0xFFFF)
        outbox.buffer[base + 14 : base + 14 + len(payload)] = payload
        length_p[0] = 14 + len(payload)
        if dtls.protect(transport.srtp_out, outbox.pointers[outbox.count], length_p):
            transport.failed += 1
            return
        outbox.queue(transport.destination, length_p[0])
        self.resent += 1

    def pad(self, packets: int, time: int) -> int:
        """Send so many packets of padding only, over RTX: of its numbers none is missed. Returns how many went out."""
        form = self.form
        if form.rtx_payload_type is None or not self.transport.ready or self.transport.outbox.congested:
            return 0
        timestamp = (self._last_timestamp + self._timestamp_offset) & 0xFFFF_FFFF
        tag = self._time_tag | time if form.send_time else None
        for sent in range(packets):
            self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
            header = (form.rtx_payload_type, self._rtx_sequence, timestamp, self.rtx_ssrc)
            if not queue_padding(self.transport, header, tag):
                return sent
        return packets

    # --- reports -----------------------------------------------------------------------------------------------------

    def sender_report(self, now: float, wall: float, source_timestamp: int | None) -> bytes:
        """SR and SDES for now; empty while nothing is shown or the source's clock is not known.

        Args:
            source_timestamp: the source's RTP timestamp at ``wall``.
        """
        if self._named_until is not None and now > self._named_until:
            self._naming = b""
            self._short = self.form.send_time > 0
        if self._highest < 0 or source_timestamp is None:
            return b""
        return self._sender_report(now, wall, source_timestamp + self._timestamp_offset)

    def paused_report(self, now: float, wall: float) -> bytes:
        """SR and SDES while nothing is shown, of times as they will go on: by them a round trip is measured."""
        if self._highest >= 0 or self._last_at is None:
            return b""
        passed = int((now - self._last_at) * self.form.clock_rate)
        return self._sender_report(now, wall, self._last_timestamp + self._timestamp_offset + passed)

    def _sender_report(self, now: float, wall: float, timestamp: int) -> bytes:
        ntp = self.reported.stamp(now, wall)
        return rtcp.sender_report(self.ssrc, ntp, timestamp, self.packets, self.octets) + rtcp.sdes(
            {self.ssrc: self.cname}
        )

    def lost(self, block: rtcp.ReportBlock, now: float) -> tuple[int, int, int]:
        """Packets lost, expected and sent since the block before."""
        lost, expected, handed = self.reported.lost(block, self.packets, now)
        if lost:
            self.wishes.lost()
        return lost, expected, handed
