"""The slots that show a stream, and those that wait to."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from media.wire.rtp import send_time

if TYPE_CHECKING:
    from media.forwarding.publication import Publication
    from media.forwarding.ring import Ring
    from media.forwarding.slot import Slot
    from media.forwarding.stream import Stream

_REPLAYED_PACKETS = 40


class Audience:
    """A stream's side towards its viewers.

    Attributes:
        live: slots that get every packet.
        waiting: slots that start at the next key frame (audio: at the next packet).
        keyframe_at: number of the packet in which the newest key frame begins, -1 before the first.
    """

    publication: Publication
    audio: bool
    ring: Ring

    def __init__(self) -> None:
        self.live: list[Slot] = []
        self.waiting: list[Slot] = []
        self.keyframe_at = -1

    @property
    def _stream(self) -> Stream:
        return cast("Stream", self)

    def start_waiting(self, number: int, now: float) -> None:
        """Slots that waited get all from ``number`` on; what came after it already is in the ring."""
        starting, self.waiting = self.waiting, []
        for slot in starting:
            if slot.congested:
                self.waiting.append(slot)
            else:
                self._start(slot, number, now)

    def _start(self, slot: Slot, number: int, now: float) -> None:
        ring, time = self.ring, send_time(now)
        slot.turn_to(self._stream)
        for index in range(number, ring.newest + 1):
            packet = ring.get(index)
            if packet is not None:
                if index == number:
                    slot.begin(number, packet[0], now)
                slot.forward(index, *packet, time)
        self.live.append(slot)
        slot.wishes.arrived()
        if not self.audio and slot.take_first_start():
            self.publication.request_another(now)

    def subscribe(self, slot: Slot, now: float) -> None:
        """Forward to ``slot`` from the next key frame on, or from the last one if it came just now. Idempotent."""
        if slot in self.live or slot in self.waiting:
            return
        number = self.keyframe_at
        if not self.audio and 0 <= self.ring.newest - number < _REPLAYED_PACKETS and self.ring.get(number) is not None:
            self._start(slot, number, now)
            return
        self.waiting.append(slot)
        self.publication.request_for_newcomer(self._stream, now)

    def unsubscribe(self, slot: Slot) -> None:
        """Idempotent."""
        # A new list: this may happen while packets are being handed to those of the old one.
        self.live = [other for other in self.live if other is not slot]
        self.waiting = [other for other in self.waiting if other is not slot]

    def suspend(self, slot: Slot) -> None:
        """Forward no more to ``slot`` until the next key frame: its connection is full."""
        if slot in self.live:
            self.live = [other for other in self.live if other is not slot]
            self.waiting.append(slot)
