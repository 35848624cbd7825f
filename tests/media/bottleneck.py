"""A line of a certain rate with a queue before it."""

import random
from bisect import bisect_right
from collections.abc import Sequence


class Bottleneck:
    """Says of each packet when it arrives. To be asked in the order of time.

    Args:
        rates: (from when on, bit/s), ascending, the first from the beginning; all that a packet is on the wire counts.
        queue: bytes that wait at most; what comes on top is lost.
        delay: seconds of the way, without queue.
        loss: share of packets that is lost whatever is sent.
        jitter: seconds at most that a packet takes longer; none overtakes another.
    """

    def __init__(
        self,
        rates: Sequence[tuple[float, float]],
        *,
        queue: int = 40_000,
        delay: float = 0.020,
        loss: float = 0.0,
        jitter: float = 0.0,
        seed: int = 1,
    ) -> None:
        self._starts, self._rates = [start for start, _ in rates], [rate for _, rate in rates]
        self._queue = queue
        self._delay = delay
        self._loss = loss
        self._jitter = jitter
        self._dice = random.Random(seed)
        self._at = float("-inf")
        self._waiting = 0.0
        self._latest = 0.0
        self.dropped = 0

    def rate(self, now: float) -> float:
        return self._rates[max(0, bisect_right(self._starts, now) - 1)]

    def arrival(self, size: int, now: float) -> float | None:
        """When a packet of ``size`` bytes that is sent ``now`` arrives; None: it is lost."""
        rate = self.rate(now)
        self._waiting = max(0.0, self._waiting - (now - self._at) * rate / 8)
        self._at = now
        if self._dice.random() < self._loss or self._waiting + size > self._queue:
            self.dropped += 1
            return None
        self._waiting += size
        arrival = now + self._waiting * 8 / rate + self._delay + self._dice.random() * self._jitter
        self._latest = max(self._latest, arrival)
        return self._latest
