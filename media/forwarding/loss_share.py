"""How much of a sound is lost on its way, and what of that its sender is told."""

from math import exp

_MEMORY = 10.0
_LEAST_EXPECTED = 20
_WORTH_REPAIRING = 0.015
_CORRECTED = 0.20
_MOST_FOR_LISTENERS = 0.25


class LossShare:
    """Share of packets that were lost lately: what is 10 s old counts by a third."""

    __slots__ = ("_at", "_expected", "_lost")

    def __init__(self) -> None:
        self._at = float("-inf")
        self._lost = self._expected = 0.0

    def count(self, lost: int, expected: int, now: float) -> None:
        """Of ``expected`` packets since the last call ``lost`` were lost."""
        kept = exp((self._at - now) / _MEMORY)
        self._lost = self._lost * kept + lost
        self._expected = self._expected * kept + expected
        self._at = now

    @property
    def value(self) -> float:
        """0 to 1; 0 as long as too few packets say something."""
        return min(1.0, self._lost / self._expected) if self._expected >= _LEAST_EXPECTED else 0.0


def told(up: float, down: float) -> float:
    """The share that a speaker is told of, whose sound loses ``up`` before us and ``down`` to its worst listener.

    A browser writes error correction into Opus by what receiver reports say. They are ours, so without this it would
    know nothing of losses behind us. libwebrtc smooths them over 10 s and rounds down (to 0, 1, 5, 10, 20 %), and
    nothing is corrected for 1 %: of 5 % nothing comes. Hence whoever loses some is reported as losing 20 %. What
    listeners say is believed no further than that: one of them must not spoil the sound of all others.
    """
    lost = 1 - (1 - up) * (1 - min(down, _MOST_FOR_LISTENERS))
    return max(lost, _CORRECTED) if lost >= _WORTH_REPAIRING else lost
