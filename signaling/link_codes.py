"""A code for a patient's link: six digits by mail or text message, and what a device has that typed them.

| key | what |
|---|---|
| ``sk:link-code:<appointment>`` | what the digits are made of, with our MAC, for ten minutes or until they were typed |

Who asks again soon is sent the same digits: whatever presses every button puts nobody out. What one network may ask and
try is less than what all may together, so one stranger with the link keeps nobody out. The pass of a device is a signed
ticket that names the link, so it is worth nothing after another link, and goes along when the appointment is another's.
"""

import hmac
from base64 import urlsafe_b64encode
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from aiohttp import web
from redis.exceptions import WatchError

from practice.agenda.model import Appointment
from practice.mailed_digits import digits
from rooms.authentic import Authentic
from rooms.live import begin
from signaling.addresses import public_origin
from signaling.derived import derive
from signaling.limiter import (
    LINK_CODE_TRIES,
    LINK_CODE_TRIES_NETWORK,
    LINK_CODES,
    LINK_CODES_DAY,
    LINK_CODES_NETWORK,
    LINK_CODES_NETWORK_DAY,
    Limiter,
)
from signaling.protocol.errors import ProtocolError, UserError
from signaling.settings import Network, SignalingSettings
from signaling.tickets import Claims
from signaling.typedefs import SETTINGS, TICKETS
from vault.records.content import new_id

if TYPE_CHECKING:
    from redis.asyncio import Redis

PLAIN: Final = "pass"
SECURE: Final = "__Host-pass"
LIFE: Final = timedelta(minutes=10)
SOON: Final = timedelta(minutes=2)
"""What lives no longer than this is made anew."""

ATTEMPTS: Final = 10


def link_code_key(appointment: str) -> str:
    return f"sk:link-code:{appointment}"


class LinkCodes:
    """Those of all nodes."""

    def __init__(self, redis: "Redis", secret: bytes, limiter: Limiter) -> None:
        self._redis = redis
        self._key = derive(secret, "link-codes")
        self._authentic = Authentic(derive(secret, "redis"))
        self._limiter = limiter

    async def fresh(self, appointment: str, network: Network | None) -> tuple[str, int]:
        """The digits to be sent, and for how many seconds they are good: of two who ask at once the same. Of a guest's
        link it is the guest's id that stands for the appointment.

        Errors: ``rate_limited``, ``try_again``.
        """
        for limit in (LINK_CODES_NETWORK, LINK_CODES_NETWORK_DAY):
            await self._limiter.count(limit, f"{appointment} {network}")
        for limit in (LINK_CODES, LINK_CODES_DAY):
            await self._limiter.count(limit, appointment)
        key, life = link_code_key(appointment), int(LIFE.total_seconds())
        async with self._redis.pipeline(transaction=True) as pipe:
            for _ in range(ATTEMPTS):
                await pipe.watch(key)
                seed, left = self._authentic.verified(key, await pipe.get(key)), int(await pipe.ttl(key))
                if seed is not None and left >= SOON.total_seconds():
                    return self._digits(seed), left
                seed = new_id().encode()
                begin(pipe)
                pipe.set(key, self._authentic.sign(key, seed), ex=life)
                try:
                    await pipe.execute()
                except WatchError:
                    continue
                return self._digits(seed), life
        raise UserError("try_again")

    async def answer(self, appointment: str, network: Network | None, typed: str) -> None:
        """The digits are right, and good no more. A try is counted before it is looked at.

        Errors: ``code_refused``, ``code_spent`` (none was sent, it was too long ago, or all tries are used up),
        ``rate_limited`` (of this network, whose tries cost nobody else the code).
        """
        seed = await self._seed(appointment)
        if seed is None:
            raise UserError("code_spent")
        await self._limiter.count(LINK_CODE_TRIES_NETWORK, f"{appointment} {network}")
        try:
            await self._limiter.count(LINK_CODE_TRIES, seed.decode())
        except ProtocolError:
            await self._redis.delete(link_code_key(appointment))
            raise UserError("code_spent") from None
        given = "".join(one for one in typed if one.isascii() and one.isdigit())
        if not hmac.compare_digest(self._digits(seed), given):
            raise UserError("code_refused")
        await self._redis.delete(link_code_key(appointment))

    async def _seed(self, appointment: str) -> bytes | None:
        key = link_code_key(appointment)
        return self._authentic.verified(key, await self._redis.get(key))

    def _digits(self, seed: bytes) -> str:
        return digits(hmac.new(self._key, seed, sha256).hexdigest())


LINK_CODES_OF: Final = web.AppKey("LINK_CODES", LinkCodes)


def cookie_name(settings: SignalingSettings) -> str:
    """Browsers refuse the prefix over plain http, which only loopback uses."""
    return SECURE if public_origin(settings).startswith("https://") else PLAIN


def issue_pass(app: web.Application, one: Appointment) -> tuple[str, int]:
    """For the device on which the digits were typed, and for how many seconds."""
    seconds = app[SETTINGS].resume_seconds
    claims = Claims(
        kind="pass",
        role="patient",
        appointment=one.id,
        seat="patient",
        link=link_mark(one.secret),
        expires=app[TICKETS].expires_in(seconds),
    )
    return app[TICKETS].issue(claims), seconds


def keep_pass(response: web.StreamResponse, settings: SignalingSettings, token: str, seconds: int) -> None:
    """In the browser, where no script reads it."""
    name = cookie_name(settings)
    response.set_cookie(name, token, max_age=seconds, path="/", secure=name == SECURE, httponly=True, samesite="Strict")


def opened_by(one: Appointment) -> str:
    """As what a refresh token says that it came of this link: with the code, if that is asked for."""
    return link_mark(one.secret, "code" if one.code else "link")


def still_opens(one: Appointment, mark: str | None) -> bool:
    """Whether what came so is of the link of now, and of its code if one is asked for now."""
    return mark == link_mark(one.secret, "code") or (not one.code and mark == link_mark(one.secret))


def demand_pass(request: web.Request, one: Appointment, given: str | None) -> None:
    """Nothing of an appointment that asks for a code without one. Errors: ``code_needed``."""
    if not one.code:
        return
    for token in filter(None, (given, request.cookies.get(cookie_name(request.app[SETTINGS])))):
        with suppress(ProtocolError):
            claims = request.app[TICKETS].verify(token, kinds=("pass",))
            if claims.link == link_mark(one.secret):
                return
    raise UserError("code_needed")


def link_mark(secret: str, word: str = "link") -> str:
    """What tells one link from another and opens none."""
    return urlsafe_b64encode(sha256(f"{word} {secret}".encode()).digest()[:16]).decode().rstrip("=")
