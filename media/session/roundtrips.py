"""Round trips of a path, and the queue that they show."""

from collections import deque

QUEUE = 0.100
_SAMPLES = 3
_FORGETTING = 1.02
"""In a second."""

_LONGEST_WAY = 0.400
"""What takes longer is a queue that stood before the first one was measured, or a way that is learned to be so long."""


class RoundTrips:
    """All in seconds.

    Attributes:
        least: forgotten slowly, for a path may change for the worse.
    """

    __slots__ = ("_at", "_last", "least")

    def __init__(self) -> None:
        self._last: deque[float] = deque(maxlen=_SAMPLES)
        self._at = 0.0
        self.least = _LONGEST_WAY

    def measured(self, rtt: float, now: float) -> None:
        self._last.append(rtt)
        grown = self.least * _FORGETTING ** max(0.0, now - self._at) if self._at else self.least
        self.least, self._at = min(rtt, grown), now

    @property
    def known(self) -> bool:
        return bool(self._last)

    @property
    def waiting(self) -> float:
        """What the last one took longer than the least."""
        return self._last[-1] - self.least if self._last else 0.0

    @property
    def queued(self) -> bool:
        """A queue stands: a single long one is a busy machine."""
        return len(self._last) == _SAMPLES and min(self._last) > self.least + QUEUE
