"""A slot that shows one of several layers of a source, as large and as often as is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from media.forwarding.slot import Slot
from media.forwarding.thinning import ALL, Thinning

if TYPE_CHECKING:
    from media.forwarding.publication import Publication
    from media.forwarding.stream import Stream


class LayeredSlot(Slot):
    """It goes on with the layer that it shows until a key frame of the wanted one comes: nothing stands still.

    Numbers of the slot are those of the stream, or thinned ones as soon as a temporal layer is left out.
    """

    _wanted: Stream | None = None
    _thinning: Thinning | None = None
    _temporal = ALL

    @property
    def current(self) -> tuple[int, int] | None:
        """Layer and highest temporal layer that it shows or waits for; None if nothing is sent."""
        wanted = self._wanted or self.stream
        return None if self.held or wanted is None else (wanted.layer, self._temporal)

    def choose(self, layer: int, temporal: int, now: float) -> None:
        """Show this layer from its next key frame on, up to this temporal layer. Idempotent."""
        if self.source is None or not self.transport.ready:
            return
        self._temporal = temporal
        wanted = self.source.streams[layer]
        if self.held:
            self.held = False
        if wanted is not self._wanted:
            if self._wanted is not None and self._wanted is not self.stream:
                self._wanted.unsubscribe(self)
            self._wanted = wanted
        wanted.subscribe(self, now)
        if wanted is self.stream and self not in wanted.waiting:
            self._thin()

    def _choose(self, source: Publication, now: float) -> Stream:
        """What comes quickest; how good it gets is decided as soon as it is known what fits."""
        self._wanted = source.smallest(now)
        return self._wanted

    def _end(self) -> None:
        super()._end()
        self._wanted = self._thinning = None

    def begin(self, number: int, timestamp: int, now: float) -> None:
        self._thinning = None
        super().begin(number, timestamp, now)
        self._thin()

    def _thin(self) -> None:
        """A stream without temporal layers, or of which all go on, is not looked into."""
        stream = self.stream
        if self._thinning is not None:
            self._thinning.wanted = self._temporal
        elif stream is not None and self._temporal < stream.temporal_layers:
            newest = stream.ring.newest
            self._thinning = Thinning(self._temporal, newest, stream.ring.timestamp(newest))

    @property
    def plain(self) -> bool:
        return self._thinning is None and super().plain

    def forward(self, number: int, timestamp: int, marker: int, payload: bytes, time: int) -> None:
        thinning = self._thinning
        if thinning is not None:
            thinned = thinning.thin(number, timestamp, payload)
            if thinned is None:
                return
            number, payload = thinned
        super().forward(number, timestamp, marker, payload, time)

    def _last_stamp(self, stream: Stream) -> int:
        return stream.ring.timestamp(self._in_stream(self._highest))

    def _stored(self, stream: Stream, number: int, now: float) -> tuple[int, int, bytes] | None:
        stored = self._in_stream(number)
        packet = super()._stored(stream, stored, now)
        if packet is None or self._thinning is None:
            return packet
        timestamp, marker, payload = packet
        return timestamp, marker, self._thinning.as_sent(stored, payload)

    def _in_stream(self, number: int) -> int:
        return number if self._thinning is None else self._thinning.stored_number(number)
