"""How much of one processor this process uses, and whether that leaves room for more."""

import math
import time
from collections.abc import Callable

SECONDS = 5.0
"""Of which time a look tells most: a room that begins costs more for a moment than it will."""

RELIEF = 0.1
"""So much less than what makes it full lets new rooms in again."""


class Load:
    """``full``: the share from which on nothing new is taken. ``clock`` and ``used`` are in seconds."""

    def __init__(
        self, full: float, clock: Callable[[], float] = time.monotonic, used: Callable[[], float] = time.process_time
    ) -> None:
        self.share = 0.0
        self.full = False
        self._limit = full
        self._clock = clock
        self._used = used
        self._before = clock(), used()

    def look(self) -> None:
        """To be called every second or so: ``share`` is then of the last seconds, 0 to 1."""
        now, used = self._clock(), self._used()
        since, spent = now - self._before[0], used - self._before[1]
        if since <= 0:
            return
        self._before = now, used
        weight = 1 - math.exp(-since / SECONDS)
        self.share = min(1.0, self.share + weight * (spent / since - self.share))
        self.full = self.share >= (self._limit - RELIEF if self.full else self._limit)
