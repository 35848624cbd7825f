"""A page that is open uses its session, although it asks nothing of us for an hour while two people talk.

Idle is who has no page open any more: closed, asleep or cut off. **That a socket is there is written once a minute, and
when it closes**, so that the half hour after which a session ends begins with the last moment that its page was there.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from redis.exceptions import RedisError

from practice.accounts.sessions import TOUCH, Sessions
from signaling.sockets.server import Gate
from signaling.sockets.socket import Socket
from vault.errors import DomainError

PERIOD = 1.0

log = logging.getLogger(__name__)


class SessionUse:
    """Of the sockets of this node."""

    def __init__(self, gate: Gate, sessions: Sessions, now: Callable[[], datetime]) -> None:
        self._gate = gate
        self._sessions = sessions
        self._now = now
        self.noted = now()
        self._closing: Counter[str] = Counter()

    async def run(self) -> None:
        """Until cancelled. Apart from what looks after rooms, which must not wait for a database."""
        while True:
            try:
                await self.note()
            except RedisError:
                log.warning("a page of a session that has ended could not be closed")
            except Exception:
                log.exception("noting the use of sessions failed")
            await asyncio.sleep(PERIOD)

    async def note(self) -> None:
        """Once a minute: all of them. Pages of sessions that have ended close, but for those in a consult."""
        if self._now() - self.noted < TOUCH:
            return
        sockets = [one for one in self._gate.authenticated.values() if one.claims.session]
        ended = await self._used(sockets)
        self.noted = self._now()
        for one in sockets:
            if one.claims.session in ended and one.binding is None:
                await self._gate.turn_out(one, "token_invalid")

    async def lost(self, socket: Socket) -> None:
        """It closed."""
        session = socket.claims.session
        if session and self._now() - self.noted >= TOUCH:
            self._closing[session] += 1
            try:
                await self._used([socket])
            finally:
                self._closing -= Counter([session])

    async def holds(self, session: str) -> bool:
        """Whether a page is open or just closed, of which nobody could say so in time; that counts as use."""
        sockets = self._gate.authenticated.values()
        if not self._closing[session] and all(one.claims.session != session for one in sockets):
            return False
        return not await self._sessions.use([session])

    async def _used(self, sockets: list[Socket]) -> frozenset[str]:
        references = {one.claims.session for one in sockets if one.claims.session}
        try:
            return await self._sessions.use(references) if references else frozenset()
        except DomainError:
            log.warning("the use of sessions could not be noted")
            return frozenset()
