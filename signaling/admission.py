"""Who may open a socket: a genuine ticket that was not overtaken by a sign-out.

A resume ticket lives for hours in a page's session storage. For a practitioner it must not outlive the session, nor for
an app the family it came from; so a sign-out is noted for as long as such a ticket can live, and closes the sockets
that are open. Access tokens live for minutes and come from a session that is alive.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from redis.asyncio import Redis

from signaling.protocol.errors import ProtocolError
from signaling.protocol.events import SignedOutCode
from signaling.refresh import Refresh
from signaling.sockets.socket import Socket
from signaling.tickets import Claims, Tickets


def signed_out_key(practitioner: str) -> str:
    return f"sk:signed-out:{practitioner}"


class Admission:
    """Turns tokens into claims. ``life`` is that of a resume ticket."""

    def __init__(
        self, tickets: Tickets, refresh: Refresh, redis: Redis, now: Callable[[], datetime], life: timedelta
    ) -> None:
        self._tickets = tickets
        self._refresh = refresh
        self._redis = redis
        self._now = now
        self._life = life

    async def authenticate(self, token: str) -> Claims:
        """The claims of a token; ``token_invalid`` for anything that does not open a socket (any more)."""
        claims = self._tickets.verify(token)
        if claims.family:
            if why := (await self._refresh.ended([claims.family])).get(claims.family):
                raise ProtocolError(why)
            # A resume ticket outlives an emptied Redis, for the sake of the consult that it rebuilds.
            if claims.kind == "access" and not await self._refresh.alive(claims):
                raise ProtocolError("token_invalid")
        if claims.kind == "resume" and claims.practitioner:
            written = claims.expires - self._life.total_seconds()
            # The ticket's time is rounded up to a second.
            if written - 1 <= (await self.sign_outs([claims.practitioner])).get(claims.practitioner, 0):
                raise ProtocolError("token_invalid")
        return claims

    async def sign_out(self, practitioner: str) -> None:
        """What was opened for this practitioner until now is no longer."""
        await self._refresh.end_all(practitioner)
        await self._redis.set(signed_out_key(practitioner), self._now().timestamp(), ex=self._life)

    async def sign_outs(self, practitioners: Iterable[str]) -> dict[str, float]:
        """The last sign-out of each that had one, in seconds since the Unix epoch."""
        names = sorted(set(practitioners))
        marks = await self._redis.mget([signed_out_key(name) for name in names]) if names else []
        return {name: float(mark) for name, mark in zip(names, marks, strict=True) if mark}

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
