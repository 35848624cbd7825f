"""A browser's own estimate of what reaches it, as it looks from outside: Chromium 156, by REMB."""

from collections import deque

_LOOK = 0.5


class Estimator:
    """Takes what arrives; judges ten times a second by how much it is, and by whether its delay grows.

    Attributes:
        bitrate: bit/s.
    """

    def __init__(self) -> None:
        self.bitrate = 300_000.0
        self._recent: deque[tuple[float, int]] = deque()
        self._delays = 0.0, 0.0
        self._least = float("inf")

    def arrived(self, now: float, size: int, delay: float) -> None:
        """Bytes, and seconds since they were sent."""
        self._recent.append((now, size))
        self._least = min(self._least, delay)
        self._delays = (self._delays[0] * 0.9 + delay * 0.1, self._delays[1])

    def judge(self, now: float) -> None:
        """To be called ten times a second."""
        while self._recent and self._recent[0][0] < now - _LOOK:
            self._recent.popleft()
        rate = sum(size for _, size in self._recent) * 8 / _LOOK
        grown = self._delays[0] - self._delays[1]
        self._delays = (self._delays[0], self._delays[0])
        if grown > 0.012 and self._delays[0] > self._least + 0.030:
            self.bitrate = min(self.bitrate, 0.85 * rate)
        elif grown < 0.004 and self._delays[0] < self._least + 0.050:
            self.bitrate = min(self.bitrate * 1.08**0.1, 1.5 * rate + 10_000)
