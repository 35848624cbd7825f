"""One direction of a bad network, without sockets: when a packet comes out at the other end, if it does."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Conditions:
    """What a direction does to packets.

    Attributes:
        loss: share of packets that are lost, each by itself.
        delay: seconds, one way.
        jitter: up to so many seconds more or less than ``delay``; nothing overtakes.
        rate: bit/s that get through, None for as many as come; what is more waits, and is dropped once ``queue``
            seconds are waiting.
    """

    loss: float = 0.0
    delay: float = 0.0
    jitter: float = 0.0
    rate: float | None = None
    queue: float = 0.3


class Lane:
    """The same packets are lost and late for the same ``seed``, whatever their content.

    Attributes:
        conditions: may be changed at any time.
        closed: nothing gets through.
        passed, lost, overflowed, kept_out: how many packets had which fate.
        octets: of all that came to it.
    """

    def __init__(self, conditions: Conditions, seed: int) -> None:
        self.conditions = conditions
        self.closed = False
        self.passed = self.lost = self.overflowed = self.kept_out = 0
        self.octets = 0
        self._dice = random.Random(seed)
        self._free_at = self._last_out = float("-inf")

    def departure(self, now: float, size: int, *, reliable: bool = False) -> float | None:
        """When a packet of ``size`` bytes, coming in at ``now``, comes out; None: never.

        ``reliable``: a piece of a TCP stream. It is never lost; a loss costs it one more round trip.
        """
        conditions = self.conditions
        self.octets += size
        chance, wobble = self._dice.random(), self._dice.uniform(-1, 1)
        if self.closed:
            self.kept_out += 1
            return None
        lost = chance < conditions.loss
        if lost and not reliable:
            self.lost += 1
            return None
        sent = now
        if conditions.rate is not None:
            begins = max(now, self._free_at)
            if begins - now > conditions.queue and not reliable:
                self.overflowed += 1
                return None
            sent = self._free_at = begins + size * 8 / conditions.rate
        late = sent + max(0.0, conditions.delay + wobble * conditions.jitter) + (2 * conditions.delay if lost else 0.0)
        self._last_out = max(self._last_out, late)
        self.passed += 1
        return self._last_out
