"""What may forward plain packets in place of the streams: all that the two ways of forwarding know of each other.

A plain packet is one in order, of a stream whose frames may go out, to viewers over UDP. Without a pump a stream does
everything itself. With one, the pump forwards plain packets for as long as it has the stream; the first packet that is
anything else gives it back, and so does whatever looks at it. `Pump.settle` lends again what came back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from media.forwarding.stream import Stream

if TYPE_CHECKING:
    from media.forwarding.counters import Counters
    from media.forwarding.peer import Peer
    from media.forwarding.publication import Publication


class Pump(Protocol):
    """Takes plain packets off the streams that it makes."""

    def stream(self, publication: Publication, layer: int) -> Stream:
        """A stream of a peer, which this may forward."""

    def found(self, key: Any, peer: Peer) -> None:
        """Packets from ``key`` are the peer's."""

    def gone(self, key: Any) -> None:
        """Packets from ``key`` are nobody's."""

    def left(self, peer: Peer) -> None:
        """A peer is out of all subscriptions, and its sessions are to be closed."""

    def gather(self, peer: Peer) -> None:
        """Put into the peer's ``arrivals`` what was forwarded of it."""

    def count(self, counters: Counters) -> None:
        """Add what was received and refused since the last time."""

    def settle(self) -> None:
        """Packets, calls or time were dealt with."""


class NoPump:
    """Streams do everything themselves."""

    def stream(self, publication: Publication, layer: int) -> Stream:
        return Stream(publication, layer)

    def found(self, key: Any, peer: Peer) -> None:
        pass

    def gone(self, key: Any) -> None:
        pass

    def left(self, peer: Peer) -> None:
        pass

    def gather(self, peer: Peer) -> None:
        pass

    def count(self, counters: Counters) -> None:
        pass

    def settle(self) -> None:
        pass
