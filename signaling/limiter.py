"""Counting tries in Redis, for all nodes together; a limit ends by itself when its window does (S-26)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import TYPE_CHECKING

from signaling.addresses import pseudonym
from signaling.derived import derive
from signaling.protocol.errors import ProtocolError

if TYPE_CHECKING:
    from redis.asyncio import Redis


@dataclass(frozen=True)
class Limit:
    """At most ``tries`` in ``seconds`` by one ``what``; ``counts`` says in a sentence what is counted, of whom."""

    what: str
    tries: int
    counts: str
    seconds: int = 900


SIGN_IN_ACCOUNT = Limit("sign-in-account", 10, "Wrong passwords for one account.")
SIGN_IN_ADDRESS = Limit("sign-in-address", 50, "Tries to sign in from one address.")
JOIN_ADDRESS = Limit("join-address", 60, "Links that open nothing, from one address; a right link always opens.")
"""A whole practice may sit behind one address, and a right link is never kept out by others."""

SUPPORT_CODES = Limit("support-codes", 10, "Support codes of one practitioner.")
REFRESH_FAMILY = Limit("refresh-family", 60, "Refreshes of one sign-in of an app.")
KEY_RESTARTS = Limit("key-restart", 20, "Key handshakes that one seat of a consult begins again.", seconds=60)
"""Twice what a client asks for that finishes none of them."""

LIMITS = (SIGN_IN_ACCOUNT, SIGN_IN_ADDRESS, JOIN_ADDRESS, SUPPORT_CODES, REFRESH_FAMILY, KEY_RESTARTS)


class Limiter:
    """Keys hold no address and no mail, only a pseudonym of the day."""

    def __init__(self, redis: "Redis", secret: bytes, now: Callable[[], datetime]) -> None:
        self._redis = redis
        self._key = derive(secret, "pseudonyms")
        self._now = now

    async def count(self, limit: Limit, value: object) -> None:
        """Count one try; raise ``rate_limited`` if there was none left."""
        key = self._name(limit, value)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(key, 0, ex=limit.seconds, nx=True)
            pipe.incr(key)
            pipe.pttl(key)
            _, used, left = await pipe.execute()
        if used > limit.tries:
            raise ProtocolError("rate_limited", retry_after=max(1, ceil(left / 1000)))

    async def forgive(self, limit: Limit, value: object) -> None:
        """Forget the tries: it was the right person."""
        await self._redis.delete(self._name(limit, value))

    def _name(self, limit: Limit, value: object) -> str:
        return f"sk:limit:{limit.what}:{pseudonym(self._key, self._now(), limit.what, value)}"
