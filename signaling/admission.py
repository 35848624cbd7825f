"""Who may open a socket: a genuine ticket that was not overtaken by a sign-out.

**What was issued before a sign-out opens nothing after it.** A resume ticket lives for hours in a page's session
storage, an access token for minutes in its memory; a sign-out is noted for as long as either can live, and closes the
sockets that are open. An access token of a browser is as good as its session; a resume ticket is for a consult that
runs on and outlives a session that fell idle, but does not wake it.
"""

import math
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from redis.asyncio import Redis

from practice.accounts.sessions import Sessions
from signaling.protocol.errors import ProtocolError
from signaling.protocol.events import SignedOutCode
from signaling.refresh import Refresh
from signaling.sockets.socket import Socket
from signaling.tickets import Claims, Tickets
from vault.errors import DomainError

CLOSING = timedelta(seconds=5)
"""Within which all sockets of who signed out are closed, on every node. What the server tells one of them meanwhile may
have a resume ticket in it."""


def signed_out_key(who: str) -> str:
    """Of a practitioner, or of the session that signed out."""
    return f"sk:signed-out:{who}"


def moment(mark: bytes | str) -> float:
    """When somebody signed out; a mark that says no time may be of any, also of just now."""
    try:
        found = float(mark)
    except ValueError:
        return math.inf
    return math.inf if math.isnan(found) else found


class Admission:
    """Turns tokens into claims. ``life`` is the longest that a ticket has."""

    def __init__(
        self,
        tickets: Tickets,
        refresh: Refresh,
        sessions: Sessions,
        redis: Redis,
        now: Callable[[], datetime],
        life: timedelta,
    ) -> None:
        self._tickets = tickets
        self._refresh = refresh
        self._sessions = sessions
        self._redis = redis
        self._now = now
        self._life = life

    async def authenticate(self, token: str) -> Claims:
        """The claims of a token; ``token_invalid`` for anything that does not open a socket (any more).

        They name a session only if it is alive.
        """
        claims = self._tickets.verify(token)
        if claims.family:
            if why := (await self._refresh.ended([claims.family])).get(claims.family):
                raise ProtocolError(why)
            # A resume ticket outlives an emptied Redis, for the sake of the consult that it rebuilds.
            if claims.kind == "access" and not await self._refresh.alive(claims):
                raise ProtocolError("token_invalid")
        if claims.practitioner:
            marks = await self.sign_outs(one for one in (claims.practitioner, claims.session) if one)
            signed_out = marks.get(claims.practitioner)
            # A socket may be told a ticket until it is closed, which on a busy machine takes a while.
            if claims.session in marks or (signed_out is not None and await self._overtaken(claims, signed_out)):
                raise ProtocolError("token_invalid")
        return await self._of_session(claims, claims.session) if claims.session else claims

    async def _overtaken(self, claims: Claims, signed_out: float) -> bool:
        """Whether a ticket is of before the sign-out, or was still told to a socket that the sign-out was closing."""
        if claims.issued <= signed_out:
            return True
        if claims.kind == "access" or claims.family or claims.issued > signed_out + CLOSING.total_seconds():
            return False  # a family that ended was refused before
        return not (claims.session and await self._sessions.lives(claims.session))

    async def _of_session(self, claims: Claims, session: str) -> Claims:
        if claims.kind == "access":
            if not await self._sessions.lives(session):
                raise ProtocolError("token_invalid")
            return claims
        # A consult that runs goes on, also where nobody can say whether the session lives.
        with suppress(DomainError):
            if await self._sessions.lives(session):
                return claims
        return claims.model_copy(update={"session": None})

    async def sign_out(self, practitioner: str, session: str | None = None) -> None:
        """What was opened for this practitioner until now is no longer, and nothing more of this session ever."""
        await self._refresh.end_all(practitioner)
        async with self._redis.pipeline() as pipe:
            for one in (practitioner, session):
                if one:
                    pipe.set(signed_out_key(one), self._now().timestamp(), ex=self._life + CLOSING)
            await pipe.execute()

    async def sign_outs(self, names: Iterable[str]) -> dict[str, float]:
        """The last sign-out of each practitioner or session that had one, in seconds since the Unix epoch."""
        names = sorted(set(names))
        marks = await self._redis.mget([signed_out_key(name) for name in names]) if names else []
        return {name: moment(mark) for name, mark in zip(names, marks, strict=True) if mark is not None}

    async def outdated(self, sockets: Iterable[Socket]) -> list[tuple[Socket, SignedOutCode]]:
        """Which of these sockets were opened before their practitioner signed out or their family ended."""
        everybody = list(sockets)
        marks = await self.sign_outs(one.claims.practitioner for one in everybody if one.claims.practitioner)
        ended = await self._refresh.ended(one.claims.family for one in everybody if one.claims.family)
        found: list[tuple[Socket, SignedOutCode]] = []
        for one in everybody:
            if why := ended.get(one.claims.family or ""):
                found.append((one, why))
            elif one.opened <= marks.get(one.claims.practitioner or "", 0):
                found.append((one, "token_invalid"))
        return found
