"""What lies between a client and the relay."""

import itertools
import random
from collections.abc import Callable, Collection
from dataclasses import dataclass

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
    """Between a client and the relay; ``up`` and ``down`` decide what is lost."""

    delay: float = 0.010
    up: Drop = never
    down: Drop = never
