"""What one peer is shown: its slots, who is in them, how large, and how much of that its connection can take."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator

from media.control import STAGE, SlotSize, SlotView
from media.forwarding.allocation import Offering, Wish, allocate, useful
from media.forwarding.counters import Counters
from media.forwarding.layered_slot import LayeredSlot
from media.forwarding.offers import ReceiveLine
from media.forwarding.publication import Publication
from media.forwarding.slot import Slot
from media.forwarding.stream import Stream
from media.forwarding.thinning import ALL
from media.session.bandwidth import Rate
from media.session.transport import Transport
from media.wire import rtcp
from media.wire.rtp import send_time

_LARGEST = 8_192
_SHARES = ((1.0,), (0.6, 1.0), (0.4, 0.6, 1.0), (0.25, 0.4, 0.6, 1.0))
"""Of a layer's bits those up to each temporal layer, by how many there are above the lowest: as libwebrtc's encoders
share them out. What was measured is the whole.
"""

_LEAST = 100_000
"""Bits per second: a picture of less is not worth sending."""

_MOST = 20_000_000
_NOMINAL = ((180, 150_000), (360, 500_000), (8_192, 1_500_000))
"""Lines up to which a layer takes so many bit/s, as long as it was not measured."""


class Viewing:
    """A peer's view of its room.

    Attributes:
        slots: mid → the slot of that m-line.
        seats: slot number → the peer shown there.
        paused: slot numbers whose picture is not sent for want of bandwidth.
    """

    def __init__(self, transport: Transport, counters: Counters, session: int, now: float) -> None:
        self.slots: dict[str, Slot] = {}
        self.seats: dict[int, str] = {}
        self.paused: frozenset[int] = frozenset()
        self._transport = transport
        self._counters = counters
        self._session = session
        self._by_ssrc: dict[int, Slot] = {}
        self._by_rtx_ssrc: dict[int, Slot] = {}
        self._sizes: dict[int, SlotSize] = {}
        self._sound = Rate(now)

    # --- negotiation -------------------------------------------------------------------------------------------------

    def apply(self, lines: dict[str, ReceiveLine], grouped: bool, now: float) -> None:
        """Slots as the newest offer says; what stays the same goes on undisturbed.

        ``grouped``: it may be shown layers of sources, and turns from one to another.
        """
        for mid, slot in list(self.slots.items()):
            line = lines.get(mid)
            if line is None or (line.number, line.form) != (slot.number, slot.form):
                self._end(slot, now)
                del self.slots[mid], self._by_ssrc[slot.ssrc], self._by_rtx_ssrc[slot.rtx_ssrc]
        for mid, line in lines.items():
            if mid not in self.slots:
                kind = LayeredSlot if grouped and line.form.kind == "video" else Slot
                ssrcs = (secrets.randbits(31) | 1, secrets.randbits(31) & ~1 | 2)
                place = "stage" if line.number == STAGE else f"slot{line.number}"
                slot = kind(line.number, line.form, self._transport, ssrcs, f"{place}-{self._session:x}")
                self.slots[mid] = self._by_ssrc[slot.ssrc] = self._by_rtx_ssrc[slot.rtx_ssrc] = slot

    def views(self) -> list[SlotView]:
        """Who is where, by slot number."""
        seats = sorted(self.seats.items())
        return [SlotView(slot=number, peer=peer, paused=number in self.paused) for number, peer in seats]

    def resume(self, now: float) -> None:
        """The connection is up: what is shown is sent."""
        for slot in self.slots.values():
            slot.show(slot.source, now)

    def detach(self, now: float) -> None:
        """Out of all subscriptions."""
        for slot in self.slots.values():
            self._end(slot, now)

    def _end(self, slot: Slot, now: float) -> None:
        slot.show(None, now)
        self._counters.forwarded += slot.packets
        self._counters.resent += slot.resent
        slot.packets = slot.resent = 0

    # --- what is sent ------------------------------------------------------------------------------------------------

    @property
    def packets(self) -> int:
        return sum(slot.packets for slot in self.slots.values())

    @property
    def resent(self) -> int:
        return sum(slot.resent for slot in self.slots.values())

    @property
    def octets(self) -> int:
        return sum(slot.octets for slot in self.slots.values())

    def set_sizes(self, sizes: Iterable[SlotSize]) -> None:
        """How large the page shows its slots; of slots that it has not nothing is kept."""
        known = {slot.number for slot in self.slots.values()}
        self._sizes |= {size.slot: size for size in sizes if size.slot in known}

    def allocate(self, now: float) -> bool:
        """Choose anew what each slot is sent, by what fits and by what can be seen. Returns whether `paused` changed.

        Sound is sent in any case: pictures share what it leaves.
        """
        downlink = self._transport.downlink
        limit = downlink.limit
        sound = self._sound.update(sum(slot.octets for slot in self.slots.values() if not slot.video), now)
        pictures = [slot for slot in self.slots.values() if slot.video and slot.source is not None]
        if limit is None and not self.paused and not self._sizes and not _layered(pictures):
            return False
        wishes = [self._wish(slot, now) for slot in pictures]
        if _layered(pictures):
            downlink.goal = useful(wishes) + int(sound)
        chosen = allocate(self._budget(limit, sound, pictures, now), wishes)
        paused: set[int] = set()
        for slot, wish in zip(pictures, wishes, strict=True):
            choice = chosen[slot.number]
            if choice is not None:
                slot.choose(*choice, now)
            elif wish.offerings or not wish.height:
                slot.hold_back()
                paused |= {slot.number} if wish.height else set()
        before, self.paused = self.paused, frozenset(paused)
        return self.paused != before

    def _budget(self, limit: int | None, sound: float, pictures: list[Slot], now: float) -> int | None:
        """Bit/s for pictures. A single publisher of one stream comes down to the bound, as long as it is enough."""
        if self._transport.downlink.starved(now):
            return 0
        chosen_from = _layered(pictures) or len({slot.source.peer for slot in pictures if slot.source}) > 1
        return max(0, limit - int(sound)) if limit is not None and chosen_from else None

    def pad(self, now: float) -> None:
        """Each 20 ms: try whether the connection takes more."""
        downlink = self._transport.downlink
        packets = downlink.padding(now)
        if packets:
            slot = next((one for one in self.slots.values() if one.video and one.source is not None), None)
            downlink.padded(slot.pad(packets, send_time(now)) if slot else 0)

    def _wish(self, slot: Slot, now: float) -> Wish:
        size = self._sizes.get(slot.number)
        return Wish(
            slot=slot.number,
            height=_LARGEST if size is None else size.height,
            pinned=size is not None and size.pinned,
            stage=slot.number == STAGE,
            offerings=_offerings(slot, now),
            current=slot.current,
        )

    # --- RTCP --------------------------------------------------------------------------------------------------------

    def lacks(self, ssrc: int, sequences: list[int], now: float) -> None:
        """A NACK."""
        if slot := self._by_ssrc.get(ssrc):
            slot.resend(sequences, now)

    def lost_picture(self, ssrc: int, now: float) -> None:
        """A PLI or FIR."""
        if slot := self._by_ssrc.get(ssrc):
            slot.want_keyframe(now)

    def want_keyframe(self, source: Publication | None, now: float) -> None:
        """The peer says in another way that it needs one of this source."""
        for slot in self.slots.values():
            if source is not None and slot.source is source:
                slot.want_keyframe(now)

    def reported(self, blocks: list[rtcp.ReportBlock], now: float) -> tuple[int, int, int, tuple[float, float] | None]:
        """Packets lost, expected and sent since the reports before, and the least round trip in seconds, if known.

        With the latter, when the sender report went out that it was measured by.
        """
        lost = expected = handed = 0
        trips: list[tuple[float, float]] = []
        for block in blocks:
            repairs = block.ssrc not in self._by_ssrc
            slot = self._by_ssrc.get(block.ssrc) or self._by_rtx_ssrc.get(block.ssrc)
            if slot is None:
                continue
            rtt = slot.reported.round_trip(block, now)
            trips += [(rtt, now - rtt - block.delay / 65_536)] if rtt is not None else []
            if not repairs:
                counts = slot.lost(block, now)
                lost, expected, handed = lost + counts[0], expected + counts[1], handed + counts[2]
        return lost, expected, handed, min(trips, default=None)

    def sender_reports(self, now: float, wall: float, *, renewed: bool = False) -> Iterator[bytes]:
        """Of each slot that sends or is held back; with ``renewed`` only of those whose times went on after a break."""
        for slot in self.slots.values():
            if slot.held and not renewed:
                yield slot.paused_report(now, wall)
            if slot.stream is not None and (slot.renewed or not renewed):
                slot.renewed = False
                publisher = slot.stream.publication.uplink
                yield slot.sender_report(now, wall, publisher.source_timestamp(slot.stream, wall))


def _layered(slots: list[Slot]) -> bool:
    return any(slot.source is not None and slot.source.layered for slot in slots)


def _offerings(slot: Slot, now: float) -> tuple[Offering, ...]:
    """What the slot's source can be had for: each temporal layer of each stream that is sent now."""
    source = slot.source
    if source is None or source.blocked:
        return ()
    if not source.layered or not isinstance(slot, LayeredSlot):
        stream = slot.stream or source.largest(now)
        bitrate = _bitrate(stream) if source.layered else min(_bitrate(stream), _adapted(source, slot))
        return (Offering(stream.layer, ALL, bitrate, stream.height),) if stream.alive(now) else ()
    offerings = [
        Offering(stream.layer, temporal, int(_bitrate(stream) * share), stream.height)
        for stream in source.streams
        if stream.alive(now)
        for temporal, share in enumerate(_SHARES[stream.temporal_layers])
    ]
    return tuple(sorted(offerings, key=lambda one: one.bitrate))


def _adapted(source: Publication, slot: Slot) -> int:
    """What a publisher of one stream would come down to for this slot: it is capped by the best of its viewers' lines
    (`Peer.report`), and below `_LEAST` it is not worth having.
    """
    others = [other.transport.downlink.limit for other in source.shown_by if other is not slot]
    return max([_LEAST, *(_MOST if limit is None else limit for limit in others)])


def _bitrate(stream: Stream) -> int:
    return int(stream.rate.value) or next(bits for lines, bits in _NOMINAL if stream.height <= lines)
