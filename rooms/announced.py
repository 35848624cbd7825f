"""What a practitioner says to all who wait for them: whether they are there, and how much later it gets.

| key | what |
|---|---|
| ``sk:announced:<owner>`` | the newest, with our MAC, for ``life`` after it was said |
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pydantic import TypeAdapter, ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from rooms.authentic import Authentic
from vault.errors import DomainError

Status = Literal["open", "away"]

OVERRUN = timedelta(minutes=5)
"""A consult that goes on for so much longer than planned makes those late who come after it."""

STEP = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Announced:
    """``delay``: so many minutes later than planned, None for nothing said."""

    status: Status = "open"
    delay: int | None = None


NOTHING = Announced()
ANNOUNCED: TypeAdapter[Announced] = TypeAdapter(Announced)


class Announcements:
    """Redis faults raise DomainError ``try_again``."""

    def __init__(self, redis: Redis, authentic: Authentic, life: timedelta) -> None:
        self._redis = redis
        self._authentic = authentic
        self._life = life

    async def say(self, owner: str, announced: Announced) -> None:
        """From now on, until something else is said."""
        key = announced_key(owner)
        try:
            await self._redis.set(key, self._authentic.sign(key, ANNOUNCED.dump_json(announced)), ex=self._life)
        except RedisError as error:
            raise DomainError("try_again") from error

    async def of(self, owners: Collection[str]) -> dict[str, Announced]:
        """What each of them said last; who said nothing is there."""
        names = sorted(owners)
        if not names:
            return {}
        try:
            raws = await self._redis.mget([announced_key(one) for one in names])
        except RedisError as error:
            raise DomainError("try_again") from error
        return {one: self._opened(one, raw) for one, raw in zip(names, raws, strict=True)}

    def _opened(self, owner: str, raw: bytes | str | None) -> Announced:
        value = self._authentic.verified(announced_key(owner), raw)
        try:
            return NOTHING if value is None else ANNOUNCED.validate_json(value)
        except ValidationError:
            return NOTHING


def overrun(planned_end: datetime, now: datetime) -> int | None:
    """By how many minutes a consult that goes on is late, up to the next five; None while that is little."""
    late = now - planned_end
    return -(-late // STEP) * (STEP // timedelta(minutes=1)) if late >= OVERRUN else None


def announced_key(owner: str) -> str:
    return f"sk:announced:{owner}"
