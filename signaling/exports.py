"""What somebody takes along: who may fetch it, once, within a day. The file itself is nowhere before it is fetched.

| key | what |
|---|---|
| ``sk:export:<account>:<way>`` | what tells the link from another, until when, how far it is; with our MAC, for a day |
| ``sk:export:<mark>`` | whose a link for somebody else is; with our MAC, for a day |

One of each way at a time: whoever asks again withdraws the one before, and so does what signs an account out elsewhere,
as a new password or another second factor does (``admission``); one that is being fetched breaks off. Link, password
and code are made of one another by a key of the nodes, so none of them is stored: a link opens nothing without Redis,
and Redis knows none.
"""

import hmac
import json
from base64 import b32encode
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Literal, get_args

from aiohttp import web
from redis.exceptions import WatchError

from practice.mailed_digits import digits
from rooms.authentic import Authentic
from rooms.live import begin
from signaling.derived import derive
from signaling.limiter import EXPORT_TRIES, Limiter
from signaling.protocol.errors import ProtocolError, UserError
from vault.clock import Now
from vault.records.content import new_id

if TYPE_CHECKING:
    from redis.asyncio import Redis

LIFE: Final = timedelta(days=1)
ATTEMPTS: Final = 10
ID: Final = 22
PART: Final = 5

Way = Literal["own", "other"]
"""For whoever asked, or for somebody whom they name."""

State = Literal["ready", "fetching", "fetched", "broken"]


def export_key(account: str, way: Way) -> str:
    return f"sk:export:{account}:{way}"


def export_keys(account: str) -> list[str]:
    """All that may be fetched of an account."""
    return [export_key(account, way) for way in get_args(Way)]


def link_key(mark: str) -> str:
    return f"sk:export:{mark}"


@dataclass(frozen=True, slots=True)
class Export:
    """One of them: ``done`` of ``total`` records are in what left. ``until`` is in seconds since the Unix epoch."""

    mark: str
    until: int
    state: State = "ready"
    done: int = 0
    total: int = 0

    @property
    def ends(self) -> datetime:
        """Until when it can be fetched."""
        return datetime.fromtimestamp(self.until, UTC)


class Exports:
    """Those of all nodes."""

    def __init__(self, redis: "Redis", secret: bytes, limiter: Limiter, now: Now) -> None:
        self._redis = redis
        self._key = derive(secret, "exports")
        self._authentic = Authentic(derive(secret, "redis"))
        self._limiter = limiter
        self._now = now

    async def make(self, account: str, total: int) -> str:
        """What its page holds to fetch it. The one before is worth nothing from here on."""
        token = account + new_id()
        await self._keep(account, "own", token, total)
        return token

    async def hand(self, account: str, token: str, total: int) -> str:
        """One for somebody else, whose link has this ``token``: the code that goes another way. As ``make``."""
        name = link_key(_mark(token))
        await self._redis.set(name, self._authentic.sign(name, account.encode()), ex=int(LIFE.total_seconds()))
        await self._keep(account, "other", token, total)
        return self.code(token)

    async def _keep(self, account: str, way: Way, token: str, total: int) -> None:
        one = Export(_mark(token), int((self._now() + LIFE).timestamp()), total=total)
        await self._redis.set(export_key(account, way), self._sealed(account, way, one), ex=int(LIFE.total_seconds()))

    async def _whose(self, token: str, way: Way) -> str:
        """The account. Errors: ``link_invalid``."""
        if way == "own":
            return token[:ID]
        name = link_key(_mark(token))
        account = self._authentic.verified(name, await self._redis.get(name))
        if account is None:
            raise UserError("link_invalid")
        return account.decode()

    async def of(self, account: str, way: Way) -> Export | None:
        """The newest; None where there was none for a day, or it was withdrawn."""
        name = export_key(account, way)
        return self._opened(name, await self._redis.get(name))

    async def ready(self, token: str, way: Way) -> str:
        """Whose it is. Errors: ``link_invalid`` (withdrawn, fetched, too old, or none of ours)."""
        account = await self._whose(token, way)
        one = await self.of(account, way)
        if one is None or one.state != "ready" or not hmac.compare_digest(one.mark, _mark(token)):
            raise UserError("link_invalid")
        return account

    async def typed(self, token: str, code: str) -> str:
        """The code of a link for somebody else is right. A try is counted before it is looked at; after the last one it
        is withdrawn.

        Errors: ``link_invalid``, ``code_refused``.
        """
        account = await self.ready(token, "other")
        try:
            await self._limiter.count(EXPORT_TRIES, _mark(token))
        except ProtocolError:
            await self.withdraw(account, "other")
            raise UserError("link_invalid") from None
        given = "".join(one for one in code if one.isascii() and one.isdigit())
        if not hmac.compare_digest(self.code(token), given):
            raise UserError("code_refused")
        return account

    async def begin(self, token: str, way: Way) -> str:
        """It is being fetched, and by nobody else any more. Errors: ``link_invalid``, ``try_again``."""
        account = await self._whose(token, way)
        name = export_key(account, way)
        async with self._redis.pipeline(transaction=True) as pipe:
            for _ in range(ATTEMPTS):
                await pipe.watch(name)
                one = self._opened(name, await pipe.get(name))
                if one is None or one.state != "ready" or not hmac.compare_digest(one.mark, _mark(token)):
                    raise UserError("link_invalid")
                begin(pipe)
                pipe.set(name, self._sealed(account, way, replace(one, state="fetching")), keepttl=True)
                try:
                    await pipe.execute()
                except WatchError:
                    continue
                return account
        raise UserError("try_again")

    async def told(self, account: str, way: Way, token: str, done: int, state: State = "fetching") -> bool:
        """How far it is. Of one that was withdrawn, or made anew, meanwhile nothing is said: False."""
        one = await self.of(account, way)
        if one is None or one.mark != _mark(token):
            return False
        sealed = self._sealed(account, way, replace(one, done=done, state=state))
        return bool(await self._redis.set(export_key(account, way), sealed, keepttl=True, xx=True))

    async def withdraw(self, account: str, way: Way) -> None:
        """Nobody fetches it any more, or to its end."""
        await self._redis.delete(export_key(account, way))

    def password(self, token: str) -> str:
        """That of the archive: 125 bits, in five groups of letters and digits that are not mistaken for each other."""
        made = b32encode(self._made(f"password {token}")).decode().lower()[: 5 * PART]
        return "-".join(made[at : at + PART] for at in range(0, 5 * PART, PART))

    def code(self, token: str) -> str:
        """Six digits that go another way than the link."""
        return digits(self._made(f"code {token}").hex())

    def _made(self, text: str) -> bytes:
        return hmac.new(self._key, text.encode(), sha256).digest()

    def _sealed(self, account: str, way: Way, one: Export) -> bytes:
        return self._authentic.sign(export_key(account, way), json.dumps(asdict(one)).encode())

    def _opened(self, name: str, stored: bytes | str | None) -> Export | None:
        value = self._authentic.verified(name, stored)
        one = None if value is None else Export(**json.loads(value))
        return one if one is not None and one.until > self._now().timestamp() else None


EXPORTS: Final = web.AppKey("EXPORTS", Exports)


def _mark(token: str) -> str:
    return sha256(f"export {token}".encode()).hexdigest()
