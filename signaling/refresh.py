"""Refresh tokens: each is good once, and one that is used twice ends all that came from the same sign-in.

A *family* is one sign-in of one app, or one opening of a patient's link. Each refresh gives the next generation's token
and makes the one before it worthless, but for an app that did not get the answer: for ``GRACE_SECONDS`` the last used
token gets the same generation again. A token that is older, or used later than that, is in two hands: the family ends,
the audit trail says so, and both have to sign in again.

Tokens are signed, so Redis holds no secret: ``sk:refresh:<family>`` is the number of the present generation and when it
began, ``sk:refresh-of:<holder>`` the families of a practitioner or an appointment. Both end by themselves when the
family does; an emptied Redis ends all families, and a value that we did not write (``rooms.authentic``) ends its own.
``sk:refresh-ended:<family>`` says why one ended early, as long as there may be resume tickets that came from it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Final, cast, get_args

from redis.asyncio import Redis
from redis.exceptions import WatchError

from rooms.authentic import Authentic
from rooms.live import begin
from signaling.protocol.errors import ProtocolError, UserError
from signaling.protocol.events import SignedOutCode
from signaling.tickets import Claims, Tickets

GRACE_SECONDS: Final = 10
ATTEMPTS: Final = 10


class Reused(ProtocolError):  # noqa: N818 -- a state, not a mistake
    """A refresh token came a second time; its family is no more."""

    def __init__(self, claims: Claims) -> None:
        super().__init__("token_reused")
        self.claims = claims


@dataclass(frozen=True)
class Generation:
    """``began`` is in milliseconds since the Unix epoch."""

    number: int
    began: int

    @classmethod
    def read(cls, raw: bytes | str) -> "Generation":
        number, began = raw.split()
        return cls(int(number), int(began))

    def __str__(self) -> str:
        return f"{self.number} {self.began}"


class Refresh:
    """Families of all nodes, in Redis. ``life`` is that of a resume ticket."""

    def __init__(
        self,
        tickets: Tickets,
        redis: Redis,
        now: Callable[[], datetime],
        life: timedelta,
        authentic: Authentic,
    ) -> None:
        self._tickets = tickets
        self._authentic = authentic
        self._redis = redis
        self._now = now
        self._life = life

    async def begin(self, access: Claims, expires: int) -> tuple[Claims, str]:
        """A new family for whom these claims are of, until ``expires`` (seconds since the Unix epoch).

        The claims of its access tokens, and its first refresh token.
        """
        family = token_urlsafe(16)
        first = access.model_copy(update={"kind": "refresh", "family": family, "generation": 1, "expires": expires})
        life = max(1, expires - int(self._now().timestamp()))
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(family_key(family), self._signed(family, Generation(1, self._moment())), ex=life)
            pipe.sadd(holder_key(first), family)
            pipe.expire(holder_key(first), life)
            await pipe.execute()
        return access.model_copy(update={"family": family}), self._tickets.issue(first)

    async def verify(self, token: str) -> Claims:
        """The claims of a refresh token that was not tampered with; whether it is used up is asked by ``rotate``."""
        return self._tickets.verify(token, kinds=("refresh",))

    async def rotate(self, claims: Claims) -> str:
        """The next token of the family; ``token_invalid`` if it has ended, ``Reused`` if it ends by this."""
        family = str(claims.family)
        key = family_key(family)
        async with self._redis.pipeline(transaction=True) as pipe:
            for _ in range(ATTEMPTS):
                await pipe.watch(key)
                present = self._opened(family, await pipe.get(key))
                if present is None:
                    raise ProtocolError("token_invalid")
                if claims.generation != present.number:
                    return await self._late(claims, present)
                following = Generation(present.number + 1, self._moment())
                begin(pipe)
                pipe.set(key, self._signed(family, following), keepttl=True)
                try:
                    await pipe.execute()
                except WatchError:
                    continue
                return self._token(claims, following)
        raise UserError("try_again")

    async def alive(self, claims: Claims) -> bool:
        """Whether the family of an access token still stands."""
        family = str(claims.family)
        return self._opened(family, await self._redis.get(family_key(family))) is not None

    async def end(self, claims: Claims, why: SignedOutCode = "token_invalid") -> None:
        """No token of this family is good any more, nor a resume ticket that came from it. Idempotent."""
        family = str(claims.family)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(ended_key(family), why, ex=self._life)
            pipe.delete(family_key(family))
            pipe.srem(holder_key(claims), family)
            await pipe.execute()

    async def ended(self, families: Iterable[str]) -> dict[str, SignedOutCode]:
        """Why, of each that ended before its time."""
        names = sorted(set(families))
        marks = cast("list[bytes | None]", await self._redis.mget(map(ended_key, names)) if names else [])
        return {name: reason(why) for name, why in zip(names, marks, strict=True) if why}

    async def end_all(self, practitioner: str) -> None:
        """Every app of this practitioner has to sign in again, and no resume ticket that came from one is good.

        One that begins or goes on meanwhile, on whichever node, ends too: what it wrote is looked at again.
        """
        await self._end_all(practitioner, marked=True)

    async def forget(self, appointment: str) -> None:
        """Whoever came by the link of an appointment that is destroyed is out, and nothing of it stays."""
        await self._end_all(appointment, marked=False)

    async def _end_all(self, holder: str, *, marked: bool) -> None:
        key = holder_key(holder)
        async with self._redis.pipeline(transaction=True) as pipe:
            for _ in range(ATTEMPTS):
                await pipe.watch(key)
                families = cast("set[bytes]", await pipe.smembers(key))
                begin(pipe)
                pipe.delete(key)
                for name in (family.decode(errors="replace") for family in families):
                    if marked:
                        pipe.set(ended_key(name), "token_invalid", ex=self._life)
                    pipe.delete(family_key(name))
                try:
                    await pipe.execute()
                except WatchError:
                    continue
                return
        raise UserError("try_again")

    async def apps(self, practitioner: str) -> int:
        """In how many apps somebody is signed in."""
        families = cast("set[bytes]", await self._redis.smembers(holder_key(practitioner)))
        names = [family.decode(errors="replace") for family in families]
        marks = await self._redis.mget(map(family_key, names)) if names else []
        return sum(self._opened(name, mark) is not None for name, mark in zip(names, marks, strict=True))

    async def _late(self, claims: Claims, present: Generation) -> str:
        """The token before the present one, just replaced: whoever sent it did not get the answer, most likely."""
        fresh = self._moment() - present.began <= GRACE_SECONDS * 1000
        if claims.generation == present.number - 1 and fresh:
            return self._token(claims, present)
        await self.end(claims, "token_reused")
        raise Reused(claims)

    def _token(self, claims: Claims, generation: Generation) -> str:
        return self._tickets.issue(claims.model_copy(update={"generation": generation.number}))

    def _signed(self, family: str, generation: Generation) -> bytes:
        return self._authentic.sign(family_key(family), str(generation).encode())

    def _opened(self, family: str, raw: bytes | str | None) -> Generation | None:
        value = self._authentic.verified(family_key(family), raw)
        return None if value is None else Generation.read(value)

    def _moment(self) -> int:
        return int(self._now().timestamp() * 1000)


def reason(mark: bytes) -> SignedOutCode:
    """Why a family ended; a mark without a reason that we know still says that it did."""
    found = mark.decode(errors="replace")
    return cast("SignedOutCode", found) if found in get_args(SignedOutCode) else "token_invalid"


def family_key(family: str) -> str:
    return f"sk:refresh:{family}"


def ended_key(family: str) -> str:
    return f"sk:refresh-ended:{family}"


def holder_key(holder: Claims | str) -> str:
    """Of the practitioner, or of the appointment whose link was opened."""
    name = holder if isinstance(holder, str) else holder.practitioner or holder.appointment
    return f"sk:refresh-of:{name}"
