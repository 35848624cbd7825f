"""Round trips of a path, and the queue that they show."""

from collections import deque

QUEUE = 0.100
_SAMPLES = 3
_FORGETTING = 1.02
"""In a second."""

_FALLING = 0.8
_SAME = 0.010
_LONGEST_WAY = 0.400
"""What takes longer is a queue that stood before the first one was measured, or a way that is learned to be so long."""


class RoundTrips:
    """All in seconds. Of what answers the same sender report the quickest counts: what took longer waited elsewhere.

    Attributes:
        least: forgotten slowly, for a path may change for the worse.
    """

    __slots__ = ("_asked", "_at", "_last", "least")

    def __init__(self) -> None:
        self._last: deque[float] = deque(maxlen=_SAMPLES)
        self._at = self._asked = 0.0
        self.least = _LONGEST_WAY

    def measured(self, rtt: float, asked: float, now: float) -> None:
        """``asked``: when the sender report went out."""
        if self._last and abs(asked - self._asked) < _SAME:
            rtt = min(rtt, self._last.pop())
        self._last.append(rtt)
        grown = self.least * _FORGETTING ** max(0.0, now - self._at) if self._at else self.least
        self.least, self._at, self._asked = min(rtt, grown), now, asked

    @property
    def known(self) -> bool:
        return bool(self._last)

    @property
    def waiting(self) -> float:
        """What the last one took longer than the least."""
        return self._last[-1] - self.least if self._last else 0.0

    @property
    def long(self) -> bool:
        """The last two were: one alone is a busy machine."""
        return len(self._last) > 1 and min(self._last[-1], self._last[-2]) > self.least + QUEUE

    @property
    def queued(self) -> bool:
        """A queue stands for long."""
        return len(self._last) == _SAMPLES and min(self._last) > self.least + QUEUE

    @property
    def falling(self) -> bool:
        """It drains."""
        return len(self._last) > 1 and self._last[-1] - self.least < _FALLING * (self._last[0] - self.least)
