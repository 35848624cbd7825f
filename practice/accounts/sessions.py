"""Sign-in sessions: the database knows a keyed hash of a token, never the token.

**Who can only write to the database signs nobody in**: a row needs the hash of its token under a key of the key store,
and a token says whose it is, so that a row which is turned over to another practitioner is nobody's.
"""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import bindparam, delete, insert, or_, select, update

from practice.accounts.records import sessions
from vault.clock import Now
from vault.database.database import Database
from vault.keys.store import KeyStore

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
TOUCH = timedelta(minutes=1)  # a write per request would be a flush per request
KEPT = 2 * IDLE
"""An idle session is dead at once but forgotten later: an open page may be about to say that it is not idle, after a
database that was away."""

EXPIRED = or_(sessions.c.used <= bindparam("used_until"), sessions.c.created <= bindparam("created_until"))
"""Whether a row is of no use to anybody any more; with ``Sessions.bounds``."""


class Sessions:
    """``store.sessions``. Idle 30 minutes, absolute 12 hours. Errors: ``locked``.

    What is not the token but stands for it elsewhere is its ``reference``: good for saying that a session is in use,
    and for nothing else.
    """

    expired = EXPIRED

    def __init__(self, database: Database, keys: KeyStore, now: Now) -> None:
        self._database = database
        self._keys = keys
        self._now = now

    async def create(self, practitioner_id: str) -> str:
        """A new session's token: whose it is, and 256 random bits."""
        token, now = f"{practitioner_id}.{secrets.token_urlsafe(32)}", self._seconds()
        row = {"token": self._keys.session_index(token), "practitioner": practitioner_id, "created": now, "used": now}
        await self._database.tell(insert(sessions), row)
        return token

    async def practitioner(self, token: str) -> str | None:
        """Whose session this is, if it lives; that counts as use."""
        now, owner = self._seconds(), token.partition(".")[0]
        ours = (sessions.c.token == self._keys.session_index(token), sessions.c.practitioner == owner)
        row = next(iter(await self._database.ask(select(sessions).where(*ours))), None)
        if row is None or not _fresh(row.created, row.used, now):
            return None
        if now - row.used >= TOUCH.total_seconds():
            await self._database.tell(update(sessions).where(sessions.c.token == row.token).values(used=now))
        return owner

    def reference(self, token: str) -> str:
        """What a ticket may carry of a session."""
        return urlsafe_b64encode(self._keys.session_index(token)).rstrip(b"=").decode()

    async def lives(self, reference: str) -> bool:
        """Whether this session is good now; that is no use of it."""
        now = self._seconds()
        fresh = (sessions.c.used > now - IDLE.total_seconds(), sessions.c.created > now - ABSOLUTE.total_seconds())
        query = select(sessions.c.token).where(sessions.c.token == _index(reference), *fresh)
        return bool(await self._database.ask(query))

    async def use(self, references: Iterable[str]) -> frozenset[str]:
        """Something that was open all the time is use of these sessions, however long nobody could say so.

        Returns those that have ended: signed out, or begun twelve hours ago.
        """
        indexes, now = {_index(one): one for one in references}, self._seconds()
        good = (sessions.c.token.in_(indexes), sessions.c.created > now - ABSOLUTE.total_seconds())
        async with self._database.write() as connection:
            await connection.execute(update(sessions).where(*good).values(used=now))
            living = set((await connection.execute(select(sessions.c.token).where(*good))).scalars())
        return frozenset(reference for index, reference in indexes.items() if index not in living)

    async def end(self, token: str) -> None:
        """Sign out; idempotent."""
        await self._database.tell(delete(sessions).where(sessions.c.token == self._keys.session_index(token)))

    async def end_all(self, practitioner_id: str) -> None:
        """Sign out everywhere."""
        await self._database.tell(delete(sessions).where(sessions.c.practitioner == practitioner_id))

    def bounds(self) -> dict[str, float]:
        """What ``EXPIRED`` needs, in seconds since the Unix epoch."""
        now = self._seconds()
        return {"used_until": now - KEPT.total_seconds(), "created_until": now - ABSOLUTE.total_seconds()}

    async def purge(self) -> None:
        """Forget the expired ones."""
        async with self._database.write() as connection:
            await connection.execute(delete(sessions).where(EXPIRED), self.bounds())

    def _seconds(self) -> int:
        return int(self._now().timestamp())


def _fresh(created: object, used: object, now: int) -> bool:
    """Whether a session lives that says this of itself; SQLite keeps any text in a column of numbers."""
    if type(created) is not int or type(used) is not int:
        return False
    return now - used < IDLE.total_seconds() and now - created < ABSOLUTE.total_seconds()


def _index(reference: str) -> bytes:
    return urlsafe_b64decode(reference + "=" * (-len(reference) % 4))
