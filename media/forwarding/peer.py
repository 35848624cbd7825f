"""A participant's side in the relay: what it publishes, and its RTCP; what it is shown is its `Viewing`."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from struct import Struct
from typing import Literal, cast

from media.control import Event, PeerSample, PeerState, Source, UnencryptedSeen
from media.forwarding.counters import Counters
from media.forwarding.feedback import TransportFeedback
from media.forwarding.offers import Plan, SendLine
from media.forwarding.publication import Publication
from media.forwarding.publisher_cap import PublisherCap
from media.forwarding.pump import Pump
from media.forwarding.reports import PublisherClock
from media.forwarding.stream import Stream
from media.forwarding.uplink import Handler
from media.forwarding.viewing import Viewing
from media.net.arena import SLOT, Arena
from media.session import dtls
from media.session.bandwidth import Rate
from media.session.dtls import length_p
from media.session.transport import State, Transport
from media.wire import WireError, rtcp
from media.wire.rtp import SSRC, extension_text, machine_word

MAX_SSRCS = 64
_FIRST_LOOK = Struct("!BB6xI").unpack_from
"""First byte, marker and type, SSRC: of RTP. Of RTCP the SSRC stands elsewhere."""

_LEAST_PACKET = 13
_SOURCES_ALIVE = 1.0
_RTCP_PER_SECOND, _RTCP_BURST = 200.0, 400.0
_SAMPLE_SECONDS = 10
_COMPOUND = 1_100


class Peer:
    """One client of a room.

    Attributes:
        handlers: SSRC, as `machine_word` → who takes its packets, of streams that proved authentic.
        arrivals: transport-wide sequence number → nanoseconds of the second it arrived in, since the last feedback.
        viewing: what it is shown.
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
        pump: Pump,
    ) -> None:
        self.name = name
        self.room, self.fence = room
        self.transport = transport
        transport.on_state, transport.on_moved = self.state_changed, self.moved
        self.handlers: dict[int, Handler] = {}
        self.arrivals: dict[int, int] = {}
        self.publications: dict[Source, Publication] = {}
        self.session = secrets.randbits(62)
        self.viewing = Viewing(transport, counters, self.session, clocks[0]())
        self.answers = 0
        self.received_octets = 0
        self.counters = counters
        self._emit = emit
        self._attention = attention
        self._clock, self._wall = clocks
        self._pump = pump
        self._ssrc = secrets.randbits(31) | 1
        self._ssrcs: set[int] = set()
        self._lines: dict[str, SendLine] = {}
        self._announced: dict[int, tuple[Stream, bool]] = {}
        self._sources = PublisherClock()
        self._feedback = TransportFeedback()
        self._rtcp_allowance, self._rtcp_at = _RTCP_BURST, 0.0
        self._cap = PublisherCap()
        self._received, self._sent = Rate(self._clock()), Rate(self._clock())
        self._reports = 0
        self._loss = 0.0

    @property
    def rtt(self) -> float:
        return self.transport.rtt

    # --- negotiation -------------------------------------------------------------------------------------------------

    def apply(self, plan: Plan, grouped: bool, now: float) -> None:
        """Publish and receive as the newest offer says. What stays the same goes on undisturbed.

        ``grouped``: there may be more than two in the room.
        """
        for source, publication in list(self.publications.items()):
            line = plan.send.get(source)
            if line is None or (line.form, line.layers) != (publication.form, len(publication.streams)):
                self._unpublish(source, now)
        self._announced.clear()
        for source, line in plan.send.items():
            publication = self.publications.get(source) or Publication(self.name, source, line.form, self, line.layers)
            self.publications[source] = publication
            if not publication.layered:
                # Of layers an offer does not say which is which.
                self._announced |= {ssrc: (publication.streams[0], repair) for ssrc, repair in line.ssrcs.items()}
        self._lines = {line.mid: line for line in plan.send.values()}
        self.viewing.apply(plan.receive, grouped, now)

    def _unpublish(self, source: Source, now: float) -> None:
        publication = self.publications.pop(source)
        self.received_octets += publication.octets
        for stream in publication.streams:
            for ssrc in (stream.ssrc, stream.rtx_ssrc):
                if ssrc is not None:
                    self._forget(ssrc)
        publication.end(now)
        self._attention.discard(publication)

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
        if result := dtls.unprotect(srtp, arena.pointers[index], length_p):
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
            stream, repair = found
            if repair:
                if stream.rtx_ssrc is not None:
                    self._forget(stream.rtx_ssrc)
                if stream.ssrc is not None:
                    stream.rtx_ssrc, handler = ssrc, stream.receive_repair
            elif stream.ssrc is None or ssrc in self._announced or now - stream.heard > _SOURCES_ALIVE:
                if stream.ssrc is not None:
                    self._forget(stream.ssrc)
                sequence = arena.view[base + 2] << 8 | arena.view[base + 3]
                stream.bind(ssrc, sequence, self.transport.srtp_in)
                handler = stream.receive
        if handler is None:
            self.counters.unbound += 1
            if ssrc not in self._ssrcs:
                self.transport.forget_source(ssrc)
            return None
        self._ssrcs.add(ssrc)
        self.handlers[machine_word(ssrc)] = handler
        return handler

    def _owner(self, arena: Arena, base: int, length: int, ssrc: int) -> tuple[Stream, bool] | None:
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
            named = extension_text(arena.view, base, length, line.mid_extension)
            if named == line.mid:
                lines = [line]
                break
            if named:
                continue
        else:
            if len(lines) != 1:
                return None
        line = lines[0]
        layer = line.layer_of(arena.view, base, length, repair := payload_type != line.form.payload_type)
        return None if layer is None else (self.publications[line.source].streams[layer], repair)

    def _forget(self, ssrc: int) -> None:
        self.handlers.pop(machine_word(ssrc), None)
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
            self.viewing.lacks(packet.media, packet.lost, now)
        elif isinstance(packet, rtcp.PictureLoss):
            self.viewing.lost_picture(packet.media, now)
        elif isinstance(packet, rtcp.FullIntraRequest):
            for ssrc, _ in packet.targets:
                self.viewing.lost_picture(ssrc, now)
        elif isinstance(packet, rtcp.ReceiverEstimate):
            self.transport.downlink.estimated(packet.bitrate, now)

    def _source_reported(self, report: rtcp.SenderReport, now: float, wall: float) -> None:
        stream = next((one for one in self._bound() if one.ssrc == report.ssrc), None)
        if stream is None:
            return
        first = self._sources.timestamp(report.ssrc, stream.publication.form.clock_rate, wall) is None
        self._sources.reported(report, wall)
        stream.reception.sender_reported(report.ntp, now)
        if first:
            timestamp = self.source_timestamp(stream, wall)
            for slot in stream.live:
                slot.transport.send_rtcp(slot.sender_report(now, wall, timestamp))

    def _reported(self, blocks: list[rtcp.ReportBlock], now: float) -> None:
        lost, expected, handed, trip = self.viewing.reported(blocks, now)
        if trip is not None:
            rtt, asked = trip
            self.transport.rtt += (rtt - self.transport.rtt) / 4
            self.transport.downlink.round_trip(rtt, asked, now)
        if expected:
            self._loss = lost / expected
            if self._sent.value:
                self.transport.downlink.reported(lost, expected, self._sent.value, now, handed)

    def stream(self, publication: Publication, layer: int) -> Stream:
        """For one of its publications."""
        return self._pump.stream(publication, layer)

    def _bound(self) -> list[Stream]:
        return [stream for publication in self.publications.values() for stream in publication.bound]

    # --- RTCP out ----------------------------------------------------------------------------------------------------

    def source_timestamp(self, stream: Stream, wall: float) -> int | None:
        """The RTP timestamp of one of this peer's streams at ``wall``."""
        if stream.ssrc is None:
            return None
        return self._sources.timestamp(stream.ssrc, stream.publication.form.clock_rate, wall)

    def ask_keyframe(self, ssrcs: list[int]) -> None:
        self.transport.send_rtcp(b"".join(rtcp.pli(self._ssrc, ssrc) for ssrc in ssrcs))

    def ask_again(self, ssrc: int, sequences: list[int]) -> None:
        self.transport.send_rtcp(rtcp.nack(self._ssrc, ssrc, sequences))

    def report_unencrypted(self, publication: Publication) -> None:
        self._emit(UnencryptedSeen(room=self.room, fence=self.fence, peer=self.name, source=publication.source))

    def attend(self, publication: Publication) -> None:
        self._attention.add(publication)

    def feed_back(self) -> None:
        """Transport-wide feedback on what arrived since the last one, less than a second ago."""
        media = next((stream.ssrc for stream in self._bound()), None) or 0
        for packet in self._feedback.packets(self.arrivals, self._ssrc, media, self._wall()):
            self.transport.send_rtcp(packet)
        self.arrivals.clear()

    def expire(self, now: float) -> None:
        """Several times a second: what is older than a second is sent to nobody any more."""
        for publication in self.publications.values():
            for stream in publication.streams:
                stream.expire(now)

    def report(self, now: float) -> None:
        """Once a second: silence, receiver and sender reports, the cap, a sample every 10 s."""
        heard = [publication.heard for publication in self.publications.values()]
        self.transport.life.seen = max([self.transport.life.seen, *heard])
        self.transport.expire(now)
        octets = sum(publication.octets for publication in self.publications.values())
        self._received.update(self.received_octets + octets, now)
        self._sent.update(self.viewing.octets, now)
        bound = self._bound()
        for stream in bound:
            stream.rate.update(stream.octets, now)
        blocks = [stream.reception.report(stream.highest, now, stream.behind) for stream in bound]
        compound = rtcp.receiver_report(self._ssrc, blocks) + self._cap.packet(self.publications.values(), self._ssrc)
        downlink = self.transport.downlink
        for part in () if downlink.listening(now) else self.viewing.sender_reports(now, self._wall()):
            if len(compound) + len(part) > _COMPOUND:
                self.transport.send_rtcp(compound)
                compound = b""
            compound += part
        self.transport.send_rtcp(compound)
        downlink.turn(self._sent.value, now)
        self._reports += 1
        if self._reports % _SAMPLE_SECONDS == 0:
            self._sample()

    def view(self, now: float) -> bool:
        """Several times a second: what it is sent fits what it can take. Returns whether other pictures are paused."""
        changed = self.viewing.allocate(now)
        for part in self.viewing.sender_reports(now, self._wall(), renewed=True):
            self.transport.send_rtcp(part)
        if self._cap.fell(self.publications.values()):
            self.transport.send_rtcp(self._cap.packet(self.publications.values(), self._ssrc))
        return changed

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
            self.viewing.resume(self._clock())
        if state != "new":
            path = self.transport.path
            transport = cast("Literal['udp', 'tcp']", path.outbox.transport) if path else None
            self._emit(PeerState(room=self.room, fence=self.fence, peer=self.name, state=state, transport=transport))

    def moved(self) -> None:
        """Called by the transport: what is sent to the peer goes elsewhere from now on."""
        for slot in self.viewing.slots.values():
            if slot.stream is not None:
                slot.stream.recall()

    def detach(self) -> None:
        """Out of all subscriptions, before the transport is closed."""
        now = self._clock()
        for source in list(self.publications):
            self._unpublish(source, now)
        self.viewing.detach(now)
        self.handlers.clear()
        self._announced.clear()
