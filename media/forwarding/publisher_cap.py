"""How much it is worth that a peer sends: what its viewers can take, told by REMB."""

from collections.abc import Iterable
from typing import cast

from media.forwarding.publication import Publication
from media.wire import rtcp

_LIFTED = 20_000_000
_FELL = 0.9


class PublisherCap:
    """A source in layers is not bound by anybody's line: each viewer is sent the layer that fits."""

    __slots__ = ("_told",)

    def __init__(self) -> None:
        self._told: int | None = None

    def fell(self, publications: Iterable[Publication]) -> bool:
        """Whether what the viewers can take fell since it was told: that is told at once."""
        limit = _limit(_bounded(publications))
        return limit is not None and limit < _FELL * (self._told or _LIFTED)

    def packet(self, publications: Iterable[Publication], sender: int) -> bytes:
        """A REMB; empty while there is no limit. Also says when no limit is left. ``sender``: our SSRC."""
        bounded = _bounded(publications)
        limit = _limit(bounded)
        if limit is None and self._told is None:
            return b""
        self._told = limit
        ssrcs = [stream.ssrc for one in bounded for stream in one.bound if stream.ssrc is not None]
        return rtcp.remb(sender, limit or _LIFTED, ssrcs)


def _bounded(publications: Iterable[Publication]) -> list[Publication]:
    return [one for one in publications if not one.audio and not one.layered and one.bound]


def _limit(publications: list[Publication]) -> int | None:
    """The best of their viewers' lines; None where one has no bound, or nobody looks."""
    limits = [viewer.downlink.limit for viewer in {slot.transport for one in publications for slot in one.shown_by}]
    return None if not limits or None in limits else max(cast("list[int]", limits))
