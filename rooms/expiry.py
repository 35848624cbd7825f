"""Every key in Redis ends by itself; this finds those that would not, or too late (S-33).

There should be none: one that is found is an alarm. Technical data is removed; what a running consult may need is given
the longest life that its kind may have.
"""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from redis.asyncio import Redis

from vault.inventory import Retention, inventory

logger = logging.getLogger(__name__)

DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
TECHNICAL: Final = frozenset({"diag", "diag-of", "support", "support-of", "support-tries", "limit"})
"""Kinds about connections, and who may look at them: nobody misses one."""

SCAN_COUNT: Final = 1000
NO_EXPIRY: Final = -1


def lifetimes(resume: timedelta = DAY, refresh: timedelta = 30 * DAY) -> dict[str, int]:
    """How long a key of each kind (``sk:<kind>:…``) of the inventory may have to live, in milliseconds.

    ``resume`` and ``refresh`` are the settings of those names, at most what they can be.
    """
    longest: dict[Retention, timedelta] = {
        "resume": resume,
        "refresh": max(resume, refresh),
        "twelve-hours": max(resume, timedelta(hours=12)),
        "day": DAY,
        "half-hour": timedelta(minutes=30),
        "hour": HOUR,
        "quarter": DAY,  # windows of limits
        "two-minutes": timedelta(minutes=2),
        "seconds": HOUR,  # what workers said while nobody listened
        "server": HOUR,
    }
    return {
        kind_of(pattern): int(longest[entry.retention].total_seconds() * 1000)
        for entry in inventory().entry
        for pattern in entry.redis
    }


def kind_of(name: str) -> str:
    """``sk:room:<id>`` is a room."""
    return name.split(":")[1]


async def put_right(redis: Redis, longest: Mapping[str, int]) -> int:
    """Remove, or give an expiry, what would not expire in time; returns how many keys that were.

    Reading the expiry of each key also makes a server that only expires what is touched let go of it.
    """
    names = [name async for name in redis.scan_iter(match="sk:*", count=SCAN_COUNT) if known(name, longest)]
    late: list[bytes] = []
    for first in range(0, len(names), SCAN_COUNT):
        late += await _late(redis, names[first : first + SCAN_COUNT], longest)
    # Between two commands of a node a new key may be seen without expiry; a moment later it has one.
    late = await _late(redis, late, longest)
    for name in late:
        kind = kind_of(name.decode())
        if kind in TECHNICAL:
            await redis.unlink(name)
        else:
            await redis.expire(name, longest[kind] // 1000)
    if late:
        kinds = sorted({kind_of(name.decode()) for name in late})
        logger.error("a key without a right expiry", extra={"count": len(late), "kind": " ".join(kinds)})
    return len(late)


def known(name: bytes, longest: Mapping[str, int]) -> bool:
    """Whether a key is of a kind of ours."""
    return kind_of(name.decode(errors="replace")) in longest


async def _late(redis: Redis, names: list[bytes], longest: Mapping[str, int]) -> list[bytes]:
    async with redis.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.pttl(name)
        left = await pipe.execute()
    limits = [longest[kind_of(name.decode())] for name in names]
    return [name for name, has, most in zip(names, left, limits, strict=True) if has == NO_EXPIRY or has > most]
