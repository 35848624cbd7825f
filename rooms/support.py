"""Six digits that a person reads out, so that support may see the technical timeline of that one consult (S-34).

sk:support:<code>              <owner>:<appointment>, 30 minutes
sk:support-of:<appointment>    the code, as long: a new one replaces it, destruction takes it away
sk:support-tries               codes that were tried, a quarter of an hour
"""

import re
import secrets
from collections.abc import Callable

from redis.asyncio import Redis
from redis.exceptions import RedisError

from vault.errors import DomainError

LIFETIME = 1_800_000  # milliseconds
TRIES = 10
TRIES_WINDOW = 900_000  # milliseconds
CODES = "sk:support:"
CODE_OF = "sk:support-of:"
TRIED = "sk:support-tries"
CODE = re.compile(r"[0-9]{6}")


def six_digits() -> str:
    """One of a million."""
    return f"{secrets.randbelow(1_000_000):06}"


class SupportCodes:
    """Gives codes and takes them. Errors: ``rate_limited`` (too many were tried), ``try_again``."""

    def __init__(self, redis: Redis, digits: Callable[[], str] = six_digits) -> None:
        self._redis = redis
        self._digits = digits

    async def give(self, owner: str, appointment: str) -> str:
        """A new code for this consult; the one before it is void."""
        try:
            await forget_code(self._redis, appointment)
            code = self._digits()
            while not await self._redis.set(f"{CODES}{code}", f"{owner}:{appointment}", px=LIFETIME, nx=True):
                code = self._digits()
            await self._redis.set(f"{CODE_OF}{appointment}", code, px=LIFETIME)
        except (RedisError, OSError):
            raise DomainError("try_again") from None
        return code

    async def take(self, code: str) -> tuple[str, str] | None:
        """Owner and appointment behind a code; None for one that is wrong, spent or never was, all the same.

        Ten tries in a quarter of an hour for everybody together: a guess in 10,000 hits while ten codes live.
        """
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.set(TRIED, 0, px=TRIES_WINDOW, nx=True)
                pipe.incr(TRIED)
                _, tried = await pipe.execute()
            if tried > TRIES:
                raise DomainError("rate_limited")
            found = await self._redis.get(f"{CODES}{code if CODE.fullmatch(code) else 'none'}")
        except (RedisError, OSError):
            raise DomainError("try_again") from None
        if found is None:
            return None
        owner, _, appointment = text(found).partition(":")
        return owner, appointment


async def forget_code(redis: Redis, appointment: str) -> None:
    """No code opens this consult any more; idempotent."""
    code = await redis.getdel(f"{CODE_OF}{appointment}")
    if code is not None:
        await redis.delete(f"{CODES}{text(code)}")


def text(value: bytes | str) -> str:
    """What this Redis client gives, decoded or not."""
    return value if isinstance(value, str) else value.decode()
