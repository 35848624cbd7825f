"""Connections that were accepted and have not authenticated: so many of one address, each for so long."""

import asyncio
from collections import Counter
from collections.abc import Callable


class HalfOpen:
    """``too_late`` is called with the id of a connection that stays half open for ``seconds``."""

    def __init__(self, seconds: float, too_late: Callable[[str], None]) -> None:
        self.of_address: Counter[str] = Counter()
        self._seconds = seconds
        self._too_late = too_late
        self._timers: dict[str, tuple[str, asyncio.TimerHandle]] = {}

    def expect(self, eio_sid: str, address: str) -> None:
        """From now on it has to authenticate."""
        timer = asyncio.get_running_loop().call_later(self._seconds, self._too_late, eio_sid)
        self._timers[eio_sid] = (address, timer)
        self.of_address[address] += 1

    def settle(self, eio_sid: str) -> None:
        """It has, or it is gone. Idempotent."""
        if eio_sid not in self._timers:
            return
        address, timer = self._timers.pop(eio_sid)
        timer.cancel()
        self.of_address[address] -= 1
        if not self.of_address[address]:
            del self.of_address[address]

    def close(self) -> None:
        for _, timer in self._timers.values():
            timer.cancel()
