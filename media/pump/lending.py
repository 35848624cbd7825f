"""Lends streams to the pump (`media.forwarding.pump.Pump`)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from media.net.mmsg import destination
from media.pump.lent import LentStream
from media.pump.library import ffi

if TYPE_CHECKING:
    from media.forwarding.counters import Counters
    from media.forwarding.peer import Peer
    from media.forwarding.publication import Publication
    from media.forwarding.stream import Stream
    from media.net.outbox import Outbox

logger = logging.getLogger(__name__)

_MOST_ARRIVALS = 2_048


class Lender:
    """The pump as the router knows it.

    Args:
        pump: a ``struct pump``.
        sockets: which of the pump's sockets an outbox belongs to.
    """

    def __init__(self, library: Any, pump: Any, sockets: dict[Outbox, int]) -> None:
        self.library = library
        self.pump = pump
        self.sockets = sockets
        self._back: dict[LentStream, None] = {}
        self._peers: dict[Any, Any] = {}
        self._addresses: dict[Any, Any] = {}
        self._arrivals = ffi.new("uint32_t[]", 2 * _MOST_ARRIVALS)
        self._words = memoryview(ffi.buffer(self._arrivals)).cast("B").cast("I")

    def stream(self, publication: Publication, layer: int) -> Stream:
        return LentStream(publication, layer, self)

    def peer(self, peer: Any) -> Any:
        """What the pump knows a peer as."""
        known = self._peers.get(peer)
        if known is None:
            known = self._peers[peer] = ffi.new("struct peer *")
        return known

    def found(self, key: Any, peer: Peer) -> None:
        if isinstance(key, int | bytes):
            self.gone(key)
            name = destination(key)
            address = ffi.new("struct address *", {"peer": self.peer(peer), "size": len(name)})
            ffi.buffer(address.name)[0 : len(name)] = name
            self.library.pump_bind(self.pump, address)
            self._addresses[key] = address

    def gone(self, key: Any) -> None:
        address = self._addresses.pop(key, None)
        if address is not None:
            self.library.pump_unbind(self.pump, address)

    def left(self, peer: Peer) -> None:
        self._peers.pop(peer, None)

    def gather(self, peer: Any) -> None:
        known = self._peers.get(peer)
        count = self.library.pump_arrivals(known, self._arrivals) if known is not None else 0
        if count:
            words = self._words
            peer.arrivals.update(zip(words[0 : 2 * count : 2], words[1 : 2 * count : 2], strict=True))

    def count(self, counters: Counters) -> None:
        counts = self.library.pump_counts(self.pump)
        counters.received += counts.received
        counters.bad_tag += counts.bad_tag
        counters.replayed += counts.replayed
        if counts.dropped:
            logger.warning("media: the interpreter did not keep up, packets were dropped")

    def came_back(self, stream: LentStream) -> None:
        """To be lent again by `settle`, if it can be by then."""
        self._back[stream] = None

    def settle(self) -> None:
        if self._back:
            back, self._back = self._back, {}
            for stream in back:
                stream.lend()
