"""A participant's side in the relay: what it publishes, what it is shown, and its RTCP."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from struct import Struct
from typing import Literal, cast

from media.control import STAGE, Event, PeerSample, PeerState, SlotView, Source, UnencryptedSeen
from media.forwarding.counters import Counters
from media.forwarding.feedback import TransportFeedback
from media.forwarding.offers import Plan, SendLine
from media.forwarding.publication import Handler, Publication
from media.forwarding.reports import PublisherClock
from media.forwarding.slot import Slot
from media.net.arena import SLOT, Arena
from media.session.bandwidth import Rate
from media.session.dtls import length_p, unprotect
from media.session.transport import State, Transport
from media.wire import WireError, rtcp
from media.wire.rtp import SSRC, find_extension

MAX_SSRCS = 64
_FIRST_LOOK = Struct("!BB6xI").unpack_from
"""First byte, marker and type, SSRC: of RTP. Of RTCP the SSRC stands elsewhere."""

_LEAST_PACKET = 13
_SOURCES_ALIVE = 1.0
_RTCP_PER_SECOND, _RTCP_BURST = 200.0, 400.0
_LIFTED = 20_000_000
_SAMPLE_SECONDS = 10


class Peer:
    """One client of a room.

    Attributes:
        handlers: SSRC → who takes its packets, of streams that proved authentic.
        arrivals: transport-wide sequence number → nanoseconds of the second it arrived in, since the last feedback.
        seats: slot number → the peer shown there.
    """

    def __init__(
        self,
        name: str,
        room: tuple[str, int],
        transport: Transport,
        counters: Counters,
        emit: Callable[[Event], None],
        attention: set[Publication],
        clocks: tuple[Callable[[], float], Callable[[], float]],
    ) -> None:
        self.name = name
        self.room, self.fence = room
        self.transport = transport
        transport.on_state = self.state_changed
        self.handlers: dict[int, Handler] = {}
        self.arrivals: dict[int, int] = {}
        self.publications: dict[Source, Publication] = {}
        self.slots: dict[str, Slot] = {}
        self.seats: dict[int, str] = {}
        self.session = secrets.randbits(62)
        self.answers = 0
        self.received_octets = 0
        self.counters = counters
        self._emit = emit
        self._attention = attention
        self._clock, self._wall = clocks
        self._ssrc = secrets.randbits(31) | 1
        self._ssrcs: set[int] = set()
        self._lines: dict[str, SendLine] = {}
        self._announced: dict[int, tuple[Publication, bool]] = {}
        self._slots_by_ssrc: dict[int, Slot] = {}
        self._sources = PublisherClock()
        self._feedback = TransportFeedback()
        self._rtcp_allowance, self._rtcp_at = _RTCP_BURST, 0.0
        self._capped: int | None = None
        self._received, self._sent = Rate(self._clock()), Rate(self._clock())
        self._reports = 0
        self._loss = 0.0

    @property
    def rtt(self) -> float:
        return self.transport.rtt

    # --- negotiation -------------------------------------------------------------------------------------------------

    def apply(self, plan: Plan, now: float) -> None:
        """Publish and receive as the newest offer says. What stays the same goes on undisturbed."""
        for source, publication in list(self.publications.items()):
            line = plan.send.get(source)
            if line is None or line.form != publication.form:
                self._unpublish(source, now)
        self._announced.clear()
        for source, line in plan.send.items():
            publication = self.publications.get(source) or Publication(self.name, source, line.form, self)
            self.publications[source] = publication
            for ssrc, repair in line.ssrcs.items():
                self._announced[ssrc] = (publication, repair)
        self._lines = {line.mid: line for line in plan.send.values()}
        for mid, slot in list(self.slots.items()):
            line_now = plan.receive.get(mid)
            if line_now is None or (line_now.number, line_now.form) != (slot.number, slot.form):
                slot.show(None, now)
                self.counters.forwarded += slot.packets
                self.counters.resent += slot.resent
                del self.slots[mid], self._slots_by_ssrc[slot.ssrc]
        for mid, receive in plan.receive.items():
            if mid not in self.slots:
                ssrcs = (secrets.randbits(31) | 1, secrets.randbits(31) & ~1 | 2)
                cname = (
                    f"stage-{self.session:x}" if receive.number == STAGE else f"slot{receive.number}-{self.session:x}"
                )
                slot = Slot(receive.number, receive.form, self.transport, ssrcs, cname)
                self.slots[mid] = self._slots_by_ssrc[slot.ssrc] = slot

    def _unpublish(self, source: Source, now: float) -> None:
        publication = self.publications.pop(source)
        self.received_octets += publication.octets
        for slot in [*publication.live, *publication.waiting]:
            slot.show(None, now)
        for ssrc in (publication.ssrc, publication.rtx_ssrc):
            if ssrc is not None:
                self._forget(ssrc)
        self._attention.discard(publication)

    def seat_views(self) -> list[SlotView]:
        return [SlotView(slot=number, peer=peer) for number, peer in sorted(self.seats.items())]

    # --- packets in --------------------------------------------------------------------------------------------------

    def receive(self, arena: Arena, index: int, length: int, now: float) -> bool:
        """What no handler takes, from an address of this peer. False: it is neither RTP nor RTCP."""
        srtp, view = self.transport.srtp_in, arena.view
        first, second, ssrc = _FIRST_LOOK(view, index * SLOT)
        if first & 0xC0 != 0x80 or srtp is None or length < _LEAST_PACKET:
            return False
        if 191 < second < 224:
            self._receive_rtcp(arena, index, length, now)
            return True
        length_p[0] = length
        if result := unprotect(srtp, arena.pointers[index], length_p):
            self.counters.refused(result)
            return True
        self.transport.life.seen = now
        length = length_p[0]
        handler = self._bind(arena, index * SLOT, length, ssrc, now)
        if handler is not None:
            handler(arena, index, length, now, decrypted=True)
        return True

    def _bind(self, arena: Arena, base: int, length: int, ssrc: int, now: float) -> Handler | None:
        """Who takes a stream that was not heard before; its state is not kept if nobody does."""
        found = self._owner(arena, base, length, ssrc)
        handler: Handler | None = None
        if found is not None and len(self._ssrcs) < MAX_SSRCS:
            publication, repair = found
            if repair:
                if publication.rtx_ssrc is not None:
                    self._forget(publication.rtx_ssrc)
                if publication.ssrc is not None:
                    publication.rtx_ssrc, handler = ssrc, publication.receive_repair
            elif publication.ssrc is None or ssrc in self._announced or now - publication.heard > _SOURCES_ALIVE:
                if publication.ssrc is not None:
                    self._forget(publication.ssrc)
                sequence = arena.view[base + 2] << 8 | arena.view[base + 3]
                publication.bind(ssrc, sequence, self.transport.srtp_in)
                handler = publication.receive
        if handler is None:
            self.counters.unbound += 1
            if ssrc not in self._ssrcs:
                self.transport.forget_source(ssrc)
            return None
        self._ssrcs.add(ssrc)
        self.handlers[ssrc] = handler
        return handler

    def _owner(self, arena: Arena, base: int, length: int, ssrc: int) -> tuple[Publication, bool] | None:
        """By announced SSRC, else by MID, else by a payload type that only one line has (RFC 9143, 9.2)."""
        if ssrc in self._announced:
            return self._announced[ssrc]
        payload_type = arena.view[base + 1] & 0x7F
        lines = [
            line
            for line in self._lines.values()
            if payload_type in (line.form.payload_type, line.form.rtx_payload_type)
        ]
        for line in lines:
            at, size = find_extension(arena.view, base, length, line.mid_extension) if line.mid_extension else (0, 0)
            if size and bytes(arena.view[at : at + size]) == line.mid.encode():
                lines = [line]
                break
            if size:
                continue
        else:
            if len(lines) != 1:
                return None
        line = lines[0]
        return self.publications[line.source], payload_type != line.form.payload_type

    def _forget(self, ssrc: int) -> None:
        self.handlers.pop(ssrc, None)
        self._ssrcs.discard(ssrc)
        self._sources.forget(ssrc)
        self.transport.forget_source(ssrc)

    # --- RTCP in -----------------------------------------------------------------------------------------------------

    def _receive_rtcp(self, arena: Arena, index: int, length: int, now: float) -> None:
        self._rtcp_allowance = min(_RTCP_BURST, self._rtcp_allowance + (now - self._rtcp_at) * _RTCP_PER_SECOND)
        self._rtcp_at = now
        if self._rtcp_allowance < 1:
            self.counters.rtcp_limited += 1
            return
        self._rtcp_allowance -= 1
        ssrc = SSRC.unpack_from(arena.view, index * SLOT + 4)[0]
        if ssrc not in self._ssrcs and len(self._ssrcs) >= MAX_SSRCS:
            self.counters.ssrc_limited += 1
            return
        data = self.transport.decrypt_rtcp(arena, index, length)
        if isinstance(data, int):
            self.counters.refused(data)
            return
        self._ssrcs.add(ssrc)
        self.received_octets += length
        self.transport.touch(now)
        try:
            packets = rtcp.parse(data)
        except WireError:
            self.counters.malformed += 1
            return
        wall = self._wall()
        for packet in packets:
            self._take(packet, now, wall)

    def _take(self, packet: rtcp.Packet, now: float, wall: float) -> None:
        if isinstance(packet, rtcp.SenderReport):
            self._source_reported(packet, now, wall)
            self._reported(packet.reports, now)
        elif isinstance(packet, rtcp.ReceiverReport):
            self._reported(packet.reports, now)
        elif isinstance(packet, rtcp.Nack):
            if slot := self._slots_by_ssrc.get(packet.media):
                slot.resend(packet.lost, now)
        elif isinstance(packet, rtcp.PictureLoss):
            self._picture_lost(packet.media, now)
        elif isinstance(packet, rtcp.FullIntraRequest):
            for ssrc, _ in packet.targets:
                self._picture_lost(ssrc, now)
        elif isinstance(packet, rtcp.ReceiverEstimate):
            self.transport.downlink.estimated(packet.bitrate, now)

    def _source_reported(self, report: rtcp.SenderReport, now: float, wall: float) -> None:
        publication = next((p for p in self.publications.values() if p.ssrc == report.ssrc), None)
        if publication is None:
            return
        first = self._sources.timestamp(report.ssrc, publication.form.clock_rate, wall) is None
        self._sources.reported(report, wall)
        publication.reception.sender_reported(report.ntp, now)
        if first:
            timestamp = self.source_timestamp(publication, wall)
            for slot in publication.live:
                slot.transport.send_rtcp(slot.sender_report(now, wall, timestamp))

    def _reported(self, blocks: list[rtcp.ReportBlock], now: float) -> None:
        lost = expected = 0
        rtts: list[float] = []
        for block in blocks:
            slot = self._slots_by_ssrc.get(block.ssrc)
            if slot is None:
                continue
            rtt = slot.round_trip(block, now)
            rtts += [rtt] if rtt is not None else []
            counts = slot.lost(block)
            lost, expected = lost + counts[0], expected + counts[1]
        if rtts:
            self.transport.rtt += (min(rtts) - self.transport.rtt) / 4
            self.transport.downlink.round_trip(min(rtts))
        if expected:
            self._loss = lost / expected
            if self._sent.value:
                self.transport.downlink.reported(lost, expected, self._sent.value, now)

    def _picture_lost(self, ssrc: int, now: float) -> None:
        if slot := self._slots_by_ssrc.get(ssrc):
            slot.want_keyframe(now)

    # --- RTCP out ----------------------------------------------------------------------------------------------------

    def source_timestamp(self, publication: Publication, wall: float) -> int | None:
        """The RTP timestamp of one of this peer's streams at ``wall``."""
        if publication.ssrc is None:
            return None
        return self._sources.timestamp(publication.ssrc, publication.form.clock_rate, wall)

    def ask_keyframe(self, publication: Publication) -> None:
        if publication.ssrc is not None:
            self.transport.send_rtcp(rtcp.pli(self._ssrc, publication.ssrc))

    def ask_again(self, publication: Publication, sequences: list[int]) -> None:
        if publication.ssrc is not None:
            self.transport.send_rtcp(rtcp.nack(self._ssrc, publication.ssrc, sequences))

    def report_unencrypted(self, publication: Publication) -> None:
        self._emit(UnencryptedSeen(room=self.room, fence=self.fence, peer=self.name, source=publication.source))

    def attend(self, publication: Publication) -> None:
        self._attention.add(publication)

    def feed_back(self) -> None:
        """Transport-wide feedback on what arrived since the last one, less than a second ago."""
        media = next((p.ssrc for p in self.publications.values() if p.ssrc is not None), 0)
        for packet in self._feedback.packets(self.arrivals, self._ssrc, media, self._wall()):
            self.transport.send_rtcp(packet)
        self.arrivals.clear()

    def report(self, now: float, wall: float, source_timestamp: Callable[[Publication], int | None]) -> None:
        """Once a second: silence, receiver and sender reports, the cap, a sample every 10 s."""
        heard = [publication.heard for publication in self.publications.values()]
        self.transport.life.seen = max([self.transport.life.seen, *heard])
        self.transport.expire(now)
        octets = sum(publication.octets for publication in self.publications.values())
        self._received.update(self.received_octets + octets, now)
        self._sent.update(sum(slot.octets for slot in self.slots.values()), now)
        bound = [p for p in self.publications.values() if p.ssrc is not None]
        blocks = [p.reception.report(p.highest, now) for p in bound]
        compound = rtcp.receiver_report(self._ssrc, blocks) + self._cap(bound)
        for slot in self.slots.values():
            if slot.source is not None:
                part = slot.sender_report(now, wall, source_timestamp(slot.source))
                if len(compound) + len(part) > 1_100:
                    self.transport.send_rtcp(compound)
                    compound = b""
                compound += part
        self.transport.send_rtcp(compound)
        self._reports += 1
        if self._reports % _SAMPLE_SECONDS == 0:
            self._sample()

    def _cap(self, bound: list[Publication]) -> bytes:
        """REMB: what its viewers can take limits what is worth publishing. Also says when no limit is left."""
        video = [p for p in bound if not p.audio and p.ssrc is not None]
        viewers = {slot.transport for p in video for slot in (*p.live, *p.waiting)}
        limits = [viewer.downlink.limit for viewer in viewers]
        cap = None if not limits or None in limits else max(cast("list[int]", limits))
        if cap is None and self._capped is None:
            return b""
        self._capped = cap
        return rtcp.remb(self._ssrc, cap or _LIFTED, [p.ssrc for p in video if p.ssrc is not None])

    def _sample(self) -> None:
        path = self.transport.path
        if path is not None:
            self._emit(
                PeerSample(
                    room=self.room,
                    fence=self.fence,
                    peer=self.name,
                    address=path.host,
                    transport=cast("Literal['udp', 'tcp']", path.outbox.transport),
                    rtt_ms=round(self.transport.rtt * 1000),
                    loss_permille=round(self._loss * 1000),
                    received_kbps=round(self._received.value / 1000),
                    sent_kbps=round(self._sent.value / 1000),
                )
            )

    # --- state -------------------------------------------------------------------------------------------------------

    def state_changed(self, state: State) -> None:
        """Called by the transport."""
        if state == "connected":
            now = self._clock()
            for slot in self.slots.values():
                slot.show(slot.source, now)
        if state != "new":
            path = self.transport.path
            transport = cast("Literal['udp', 'tcp']", path.outbox.transport) if path else None
            self._emit(PeerState(room=self.room, fence=self.fence, peer=self.name, state=state, transport=transport))

    def detach(self) -> None:
        """Out of all subscriptions, before the transport is closed."""
        self.counters.forwarded += sum(slot.packets for slot in self.slots.values())
        self.counters.resent += sum(slot.resent for slot in self.slots.values())
        now = self._clock()
        for source in list(self.publications):
            self._unpublish(source, now)
        for slot in self.slots.values():
            slot.show(None, now)
        self.handlers.clear()
        self._announced.clear()
