"""Who is signed in: an opaque cookie whose hash is a row in the database, or an app's access token."""

import re
from dataclasses import dataclass
from functools import partial
from typing import Final

from aiohttp import web

from practice.accounts.model import Practitioner
from practice.accounts.sessions import Strength
from practice.organisation.model import Standing
from practice.organisation.rights import Right, allowed
from signaling.addresses import public_origin
from signaling.gate import SIGNALING
from signaling.news import signing_in
from signaling.protocol.errors import ProtocolError, UserError
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

    standing: Standing
    family: str | None = None
    session: str | None = None

    @property
    def practitioner(self) -> str:
        """The id of the account."""
        return self.standing.account

    def demand(self, right: Right) -> None:
        """Errors: ``not_found`` for who has it not, as if what was asked for were nowhere."""
        if not allowed(right, self.standing.roles):
            raise UserError("not_found")


async def caller(request: web.Request) -> Caller:
    """The practitioner who is signed in, by cookie or as an app; ``unauthenticated`` if nobody is."""
    if (said := request.headers.get("Authorization")) is not None:
        return await _of_app(request, said)
    token = _token(request)
    if token is None:
        raise ProtocolError("unauthenticated")
    store = request.app[STORE]
    session, found = store.sessions.reference(token), await store.organisation.signed_in(token)
    if found is None and await request.app[SIGNALING].use.holds(session):
        found = await store.organisation.signed_in(token)
    if found is None:
        raise ProtocolError("unauthenticated")
    return Caller(found, session=session)


def _token(request: web.Request) -> str | None:
    """What the browser has, if it can be one of ours: other bytes are not for the database."""
    said = request.cookies.get(cookie_name(request.app[SETTINGS]), "")
    return said if TOKEN.fullmatch(said) else None


def form_token(request: web.Request) -> str:
    """What a form holds that this browser's session may send; empty without one."""
    token = _token(request)
    return request.app[STORE].sessions.form_token(token) if token else ""


async def _of_app(request: web.Request, authorization: str) -> Caller:
    """Of an access token that an app got by signing in; a page's token is for Socket.IO and has no family."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise ProtocolError("unauthenticated")
    claims = request.app[TICKETS].verify(token.strip(), kinds=("access",))
    if claims.practitioner is None or claims.family is None or not await request.app[SIGNALING].refresh.alive(claims):
        raise ProtocolError("token_invalid")
    standing = await request.app[STORE].organisation.standing(claims.practitioner)
    if standing is None:
        raise ProtocolError("token_invalid")
    return Caller(standing, claims.family)


async def begin(
    request: web.Request, response: web.StreamResponse, practitioner: Practitioner, strength: Strength
) -> None:
    """Start a new session, under a new id whatever the browser sent, and end the one it had. Its owner may be told."""
    create = partial(request.app[STORE].sessions.create, practitioner.id, strength)
    await _begin(request, response, await signing_in(request, practitioner, create))


async def begin_first(
    request: web.Request, response: web.StreamResponse, practitioner: str, strength: Strength
) -> None:
    """The first of an account that was made by this very request: its owner need not be told."""
    await _begin(request, response, await request.app[STORE].sessions.create(practitioner, strength))


async def begin_set_up(request: web.Request, response: web.StreamResponse, practitioner: str) -> None:
    """The same for who may set up a second factor and do nothing else."""
    await _begin(request, response, await request.app[STORE].sessions.create_for_set_up(practitioner))


async def setting_up(request: web.Request) -> Caller:
    """Who is signed in, or may set up a second factor and do nothing else; ``unauthenticated`` if nobody is."""
    token, store = _token(request), request.app[STORE]
    found = await store.sessions.setting_up(token) if token else None
    if token is None or found is None:
        return await caller(request)
    standing = await store.organisation.standing(found)
    if standing is None:
        raise ProtocolError("unauthenticated")
    return Caller(standing, session=store.sessions.reference(token))


async def just_proved(request: web.Request) -> bool:
    """Whether this browser's session was begun with two factors, and a moment ago."""
    token = _token(request)
    return token is not None and await request.app[STORE].sessions.just_proved(token)


async def by_passkey(request: web.Request) -> bool:
    """The same with a passkey, which asks for no password either: whoever has one may have no password."""
    token = _token(request)
    return token is not None and await request.app[STORE].sessions.by_passkey(token)


async def _begin(request: web.Request, response: web.StreamResponse, token: str) -> None:
    await end(request, response)
    settings = request.app[SETTINGS]
    name = cookie_name(settings)
    response.set_cookie(
        name,
        token,
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
