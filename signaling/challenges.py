"""What is between two steps of signing in: whose password was right, sealed, good for five minutes and once.

**It is worth nothing without what the second step asks for.** It says to nobody whose it is. Redis holds that it was
not used yet, and forgets it by itself: an emptied Redis has people begin again, which is the safe side.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_urlsafe
from typing import Any, Final, Literal, NamedTuple

from redis.asyncio import Redis

from signaling.derived import derive
from signaling.protocol.errors import UserError
from vault.errors import Tampered
from vault.keys.envelope import Place, pack, seal, unseal

Purpose = Literal["browser", "app", "set-up", "passkey", "registration", "invited", "registering"]
"""The second step in a browser or an app; setting a factor up before anything else; signing in with a passkey, making
one, and making one for an account that is not there yet.
"""

SECONDS: Final = 300


@dataclass(frozen=True)
class Challenge:
    """One, opened. ``about`` is what else was sealed."""

    id: str
    purpose: Purpose
    practitioner: str
    about: Mapping[str, Any] = field(default_factory=dict, repr=False)


class PasskeyChallenge(NamedTuple):
    """One for an authenticator, which signs the ``bytes`` (base64url)."""

    sealed: str
    bytes: str


class Challenges:
    """Of all nodes. Errors of all: ``challenge_invalid``."""

    def __init__(self, secret: bytes, redis: Redis, now: Callable[[], datetime]) -> None:
        self._key = derive(secret, "challenges")
        self._redis = redis
        self._now = now

    async def begin(self, purpose: Purpose, practitioner: str, about: Mapping[str, Any] | None = None) -> str:
        """A new one, as the other side keeps it until its next step."""
        name = token_urlsafe(16)
        fields = {"id": name, "of": practitioner, "until": self._now().timestamp() + SECONDS, **(about or {})}
        await self._redis.set(key_of(name), 1, ex=SECONDS)
        return urlsafe_b64encode(seal(self._key, pack(fields), place(purpose))).rstrip(b"=").decode()

    async def begin_passkey(self, purpose: Purpose, practitioner: str) -> PasskeyChallenge:
        """The same, with 32 random bytes for an authenticator."""
        random = token_urlsafe(32)
        return PasskeyChallenge(await self.begin(purpose, practitioner, {"bytes": random}), random)

    async def open(self, text: str, purpose: Purpose) -> Challenge:
        """One that was made for this, and is good."""
        try:
            sealed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            fields = json.loads(unseal(self._key, sealed, place(purpose)))
        except (Tampered, ValueError):
            raise UserError("challenge_invalid") from None
        name, practitioner, until = fields.pop("id"), fields.pop("of"), fields.pop("until")
        if until <= self._now().timestamp() or not await self._redis.exists(key_of(name)):
            raise UserError("challenge_invalid")
        return Challenge(name, purpose, practitioner, fields)

    async def spend(self, challenge: Challenge) -> None:
        """It was used: of two who say so at once, one is let through."""
        if not await self._redis.delete(key_of(challenge.id)):
            raise UserError("challenge_invalid")


def key_of(name: str) -> str:
    return f"sk:challenge:{name}"


def place(purpose: Purpose) -> Place:
    """What it is sealed for: one for another step opens nothing."""
    return Place("challenges", purpose, "", "")
