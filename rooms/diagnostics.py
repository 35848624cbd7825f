"""Technical data of connections: in Redis only, gone 24 hours after each sample was taken (S-11, S-33).

**One key per sample, its expiry in the same command, counted from when the sample was taken and never set again.** So
no later write can prolong an earlier sample, and no crash can leave one without an expiry.

    sk:diag:<appointment>:<participant>:<taken, milliseconds>:<random>   the sample, JSON
    sk:diag-of:<appointment>                                             "1": there may be samples; no data
"""

import json
import re
import secrets
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from rooms.expiry import lifetimes, put_right
from rooms.support import forget_code
from vault.clock import Now
from vault.errors import DomainError

LIFETIME = 86_400_000  # milliseconds
SAMPLES = "sk:diag:"
MARKER = "sk:diag-of:"
SCAN_COUNT = 1000
ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

Kbps = Annotated[int, Field(ge=0, le=1_000_000)]


def canonical_address(text: str) -> str:
    """An IPv4 or IPv6 address and nothing else."""
    return ip_address(text).compressed


class Sample(BaseModel):
    """All that may be kept of a connection. No names, no links, no SDP; an unknown field is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, cache_strings="keys")

    role: Literal["practitioner", "patient", "guest", "unknown"] = "unknown"
    browser: Annotated[str | None, Field(pattern=r"^[A-Za-z]{2,20} \d{1,4}$", description="Family and major.")] = None
    device: Literal["phone", "tablet", "computer", "unknown"] = "unknown"
    address: Annotated[str | None, Field(max_length=45), AfterValidator(lambda a: a and canonical_address(a))] = None
    candidate: Literal["host", "srflx", "prflx", "relay", "unknown"] = "unknown"
    transport: Literal["udp", "tcp", "unknown"] = "unknown"
    rtt_ms: Annotated[int, Field(ge=0, le=60_000)] | None = None
    loss_permille: Annotated[int, Field(ge=0, le=1000)] | None = None
    sent_kbps: Kbps | None = None
    received_kbps: Kbps | None = None
    event: (
        Literal[
            "connected",
            "first-frame",
            "first-sound",
            "reconnecting",
            "failed",
            "encryption-stopped",
            "audio-silent",
            "device-lost",
        ]
        | None
    ) = None


class TakenSample(BaseModel):
    """A sample in a timeline: whose, and when it was taken."""

    model_config = ConfigDict(frozen=True, cache_strings="keys")

    participant: str
    taken: datetime
    sample: Sample


class Diagnostics:
    """Writes and reads samples. Ids are base64url. Errors: ``invalid``; ``try_again`` when Redis does not answer."""

    def __init__(self, redis: Redis, now: Now, longest: Mapping[str, int] | None = None) -> None:
        self._redis = redis
        self._longest = longest or lifetimes()
        self._now = now
        self.strays = 0
        """Keys that this process found without a right expiry since it started, for an alarm."""

    async def record(self, appointment: str, participant: str, sample: dict[str, Any], age_ms: int) -> None:
        """Keep a sample that was taken ``age_ms`` ago until 24 hours after that moment; an older one is dropped."""
        try:
            content = Sample.model_validate(sample).model_dump_json(exclude_defaults=True)
        except ValidationError:
            raise DomainError("invalid") from None
        left = LIFETIME - age_ms
        if age_ms < 0 or not (ID.fullmatch(appointment) and ID.fullmatch(participant)):
            raise DomainError("invalid")
        if left <= 0:
            return
        taken = int(self._now().timestamp() * 1000) - age_ms
        key = f"{SAMPLES}{appointment}:{participant}:{taken}:{secrets.token_urlsafe(6)}"
        try:
            # First the marker, so that no sample is without; it holds no data and outlives the newest sample.
            await self._redis.set(f"{MARKER}{appointment}", "1", px=LIFETIME)
            await self._redis.set(key, content, px=left)
        except (RedisError, OSError):
            raise DomainError("try_again") from None

    async def timeline(self, appointment: str) -> list[TakenSample]:
        """All samples of a consult that still live, oldest first."""
        found: list[TakenSample] = []
        if not ID.fullmatch(appointment):
            return found
        try:
            async for key in self._keys(appointment):
                content = await self._redis.get(key)
                if content is not None:
                    _, _, _, participant, taken, _ = key.decode().split(":")
                    moment = datetime.fromtimestamp(int(taken) / 1000, UTC)
                    found.append(TakenSample(participant=participant, taken=moment, sample=json.loads(content)))
        except (RedisError, OSError):
            raise DomainError("try_again") from None
        return sorted(found, key=lambda entry: entry.taken)

    async def forget(self, appointment: str) -> None:
        """Remove what there is of an appointment (a step of its destruction); idempotent."""
        if not ID.fullmatch(appointment):
            return
        try:
            await forget_code(self._redis, appointment)
            if not await self._redis.exists(f"{MARKER}{appointment}"):
                return
            async for key in self._keys(appointment):
                await self._redis.unlink(key)
            await self._redis.unlink(f"{MARKER}{appointment}")
        except (RedisError, OSError):
            raise DomainError("try_again") from None

    async def tidy(self) -> int:
        """Put right what would not expire in time (there should be none; an alarm); returns how many keys that were."""
        try:
            found = await put_right(self._redis, self._longest)
        except (RedisError, OSError):
            raise DomainError("try_again") from None
        self.strays += found
        return found

    async def _keys(self, appointment: str) -> AsyncIterator[bytes]:
        async for key in self._redis.scan_iter(match=f"{SAMPLES}{appointment}:*", count=SCAN_COUNT):
            yield key
