"""Who is signed in: an opaque cookie whose hash is a row in the database, or an app's access token."""

import re
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from practice.accounts.model import Practitioner
from signaling.addresses import public_origin
from signaling.gate import SIGNALING
from signaling.protocol.errors import ProtocolError
from signaling.settings import SignalingSettings
from signaling.typedefs import SETTINGS, STORE, TICKETS

ABSOLUTE_SECONDS: Final = 12 * 3600
PLAIN: Final = "sid"
SECURE: Final = "__Host-sid"
TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}")


def cookie_name(settings: SignalingSettings) -> str:
    """``__Host-sid`` over https; browsers refuse that prefix over plain http, which only loopback uses."""
    return SECURE if public_origin(settings).startswith("https://") else PLAIN


@dataclass(frozen=True)
class Caller:
    """Who is signed in, and the family of the app or the reference of the session that it is by."""

    practitioner: str
    family: str | None = None
    session: str | None = None


async def caller(request: web.Request) -> Caller:
    """The practitioner who is signed in, by cookie or as an app; ``unauthenticated`` if nobody is."""
    if (said := request.headers.get("Authorization")) is not None:
        return await _of_app(request, said)
    token = _token(request)
    if token is None:
        raise ProtocolError("unauthenticated")
    sessions = request.app[STORE].sessions
    session, found = sessions.reference(token), await sessions.practitioner(token)
    if found is None and await request.app[SIGNALING].use.holds(session):
        found = await sessions.practitioner(token)
    if found is None:
        raise ProtocolError("unauthenticated")
    return Caller(found, session=session)


def _token(request: web.Request) -> str | None:
    """What the browser has, if it can be one of ours: other bytes are not for the database."""
    said = request.cookies.get(cookie_name(request.app[SETTINGS]), "")
    return said if TOKEN.fullmatch(said) else None


async def _of_app(request: web.Request, authorization: str) -> Caller:
    """Of an access token that an app got by signing in; a page's token is for Socket.IO and has no family."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise ProtocolError("unauthenticated")
    claims = request.app[TICKETS].verify(token.strip(), kinds=("access",))
    if claims.practitioner is None or claims.family is None or not await request.app[SIGNALING].refresh.alive(claims):
        raise ProtocolError("token_invalid")
    return Caller(claims.practitioner, claims.family)


async def begin(request: web.Request, response: web.StreamResponse, practitioner: Practitioner) -> None:
    """Start a new session, under a new id whatever the browser sent, and end the one it had."""
    await end(request, response)
    settings = request.app[SETTINGS]
    name = cookie_name(settings)
    response.set_cookie(
        name,
        await request.app[STORE].sessions.create(practitioner.id),
        max_age=ABSOLUTE_SECONDS,
        path="/",
        secure=name == SECURE,
        httponly=True,
        samesite="Lax",
    )


async def end(request: web.Request, response: web.StreamResponse) -> None:
    """End the session, if there is one."""
    name = cookie_name(request.app[SETTINGS])
    token = _token(request)
    if token is not None:
        await request.app[STORE].sessions.end(token)
    response.del_cookie(name, path="/", secure=name == SECURE, httponly=True, samesite="Lax")
