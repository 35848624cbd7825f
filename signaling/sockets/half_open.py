"""Connections that were accepted and have not authenticated: so many of one network and of all, each for so long."""

import asyncio
from collections import Counter
from collections.abc import Callable


class HalfOpen:
    """``too_late`` is called with the id of a connection that stays half open for ``seconds``, or has to make room."""

    def __init__(self, seconds: float, too_late: Callable[[str], object]) -> None:
        self.of_network: Counter[str] = Counter()
        self._seconds = seconds
        self._too_late = too_late
        self._timers: dict[str, tuple[str, asyncio.TimerHandle]] = {}

    def make_room(self, network: str, most: int) -> bool:
        """Whether one more may come. If there are ``most``, the eldest of the network with the most of them goes."""
        if len(self._timers) < most:
            return True
        crowd, number = max(self.of_network.items(), key=lambda item: item[1])
        if number <= self.of_network[network] + 1:
            return False
        eldest = next(eio_sid for eio_sid, (whose, _) in self._timers.items() if whose == crowd)
        self.settle(eldest)
        self._too_late(eldest)
        return True

    def expect(self, eio_sid: str, network: str) -> None:
        """From now on it has to authenticate."""
        timer = asyncio.get_running_loop().call_later(self._seconds, self._too_late, eio_sid)
        self._timers[eio_sid] = (network, timer)
        self.of_network[network] += 1

    def settle(self, eio_sid: str) -> None:
        """It has, or it is gone. Idempotent."""
        if eio_sid not in self._timers:
            return
        network, timer = self._timers.pop(eio_sid)
        timer.cancel()
        self.of_network[network] -= 1
        if not self.of_network[network]:
            del self.of_network[network]

    def close(self) -> None:
        for _, timer in self._timers.values():
            timer.cancel()
