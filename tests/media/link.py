"""What lies between a client and the relay."""

import itertools
import random
from collections.abc import Callable, Collection
from dataclasses import dataclass

from tests.media.bottleneck import Bottleneck

UDP = 28
"""Bytes of the headers below."""

Drop = Callable[[bytes], bool]


def never(_: bytes) -> bool:
    return False


def lossy(share: float, seed: int) -> Drop:
    """Drops this share of packets, the same ones each time."""
    dice = random.Random(seed)
    return lambda _: dice.random() < share


def lose(wanted: Collection[int]) -> Drop:
    """Drops the packets of these indices, counted from 0."""
    count = itertools.count()
    return lambda _: next(count) in wanted


@dataclass
class Link:
    """Between a client and the relay; ``up`` and ``down`` decide what is lost.

    Attributes:
        line: what goes down has a bottleneck, beside ``delay`` up.
    """

    delay: float = 0.010
    up: Drop = never
    down: Drop = never
    line: Bottleneck | None = None

    def arrival(self, data: bytes, now: float) -> float | None:
        """When what is sent down now arrives; None: never."""
        if self.down(data):
            return None
        return now + self.delay if self.line is None else self.line.arrival(len(data) + UDP, now)
