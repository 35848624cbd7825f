"""Sign-in sessions: the database knows a keyed hash of a token, never the token.

**Who can only write to the database signs nobody in**: a row needs the hash of its token under a key of the key store,
and a token says whose it is, so that a row which is turned over to another practitioner is nobody's.
"""

import secrets
from datetime import timedelta

from sqlalchemy import delete, insert, or_, select, update

from rooms.clock import Now
from rooms.keys.store import KeyStore
from rooms.store.database import Database
from rooms.store.tables import sessions

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
TOUCH = timedelta(minutes=1)  # a write per request would be a flush per request


class Sessions:
    """``store.sessions``. Idle 30 minutes, absolute 12 hours. Errors: ``locked``."""

    def __init__(self, database: Database, keys: KeyStore, now: Now) -> None:
        self._database = database
        self._keys = keys
        self._now = now

    async def create(self, practitioner_id: str) -> str:
        """A new session's token: whose it is, and 256 random bits."""
        token, now = f"{practitioner_id}.{secrets.token_urlsafe(32)}", self._seconds()
        row = {"token": self._keys.session_index(token), "practitioner": practitioner_id, "created": now, "used": now}
        async with self._database.write() as connection:
            await connection.execute(insert(sessions).values(row))
        return token

    async def practitioner(self, token: str) -> str | None:
        """Whose session this is, if it lives; that counts as use."""
        now, owner = self._seconds(), token.partition(".")[0]
        ours = (sessions.c.token == self._keys.session_index(token), sessions.c.practitioner == owner)
        async with self._database.read() as connection:
            row = (await connection.execute(select(sessions).where(*ours))).one_or_none()
        if row is None or now - row.used >= IDLE.total_seconds() or now - row.created >= ABSOLUTE.total_seconds():
            return None
        if now - row.used >= TOUCH.total_seconds():
            async with self._database.write() as connection:
                await connection.execute(update(sessions).where(sessions.c.token == row.token).values(used=now))
        return owner

    async def end(self, token: str) -> None:
        """Sign out; idempotent."""
        async with self._database.write() as connection:
            await connection.execute(delete(sessions).where(sessions.c.token == self._keys.session_index(token)))

    async def end_all(self, practitioner_id: str) -> None:
        """Sign out everywhere."""
        async with self._database.write() as connection:
            await connection.execute(delete(sessions).where(sessions.c.practitioner == practitioner_id))

    async def purge(self) -> None:
        """Forget the expired ones."""
        now = self._seconds()
        dead = or_(sessions.c.used <= now - IDLE.total_seconds(), sessions.c.created <= now - ABSOLUTE.total_seconds())
        async with self._database.read() as connection:
            some = (await connection.execute(select(sessions.c.token).where(dead).limit(1))).first()
        if some is not None:
            async with self._database.write() as connection:
                await connection.execute(delete(sessions).where(dead))

    def _seconds(self) -> int:
        return int(self._now().timestamp())
