"""What a receiver says of one stream that it is sent."""

from media.forwarding.loss_share import LossShare
from media.forwarding.reports import compact, ntp_time
from media.wire.rtcp import ReportBlock

_MOST_EXPECTED = 10_000
_REMEMBERED = 8


class Reported:
    """By its report blocks; it may say anything.

    Attributes:
        share: of its packets that are lost.
    """

    __slots__ = ("_asked", "_handed", "_last", "share")

    def __init__(self) -> None:
        self.share = LossShare()
        self._asked: dict[int, float] = {}
        self._last = (0, 0)
        self._handed = 0

    def stamp(self, now: float, wall: float) -> int:
        """The NTP time of a sender report that goes out now."""
        ntp = ntp_time(wall)
        self._asked[compact(ntp)] = now
        if len(self._asked) > _REMEMBERED:
            del self._asked[next(iter(self._asked))]
        return ntp

    def lost(self, block: ReportBlock, packets: int, now: float) -> tuple[int, int, int]:
        """Packets lost, expected and sent since the block before; ``packets`` were sent in all."""
        before, self._last = self._last, (block.lost, block.highest_sequence)
        handed, self._handed = packets - self._handed, packets
        expected = block.highest_sequence - before[1] & 0xFFFF_FFFF
        if before == (0, 0) or not 0 < expected < _MOST_EXPECTED:
            return 0, 0, 0
        lost = max(0, min(block.lost - before[0], expected))
        self.share.count(lost, expected, now)
        return lost, expected, handed

    def round_trip(self, block: ReportBlock, now: float) -> float | None:
        """Seconds since the sender report that the block answers, without its receiver's own delay."""
        asked = self._asked.get(block.last_sr)
        return None if asked is None else max(0.0, now - asked - block.delay / 65_536)
