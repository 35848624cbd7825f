"""The link that makes the first account: good once, for an hour, and only while there is no account.

The database holds a keyed hash of it, so who can only write there makes none; a new link takes the place of the one
before.
"""

import hmac
import secrets
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.records import practitioners
from practice.organisation.model import Organisation
from practice.organisation.records import replace_organisation
from vault.clock import Now
from vault.database.database import Database
from vault.database.marks import read_mark, write_mark
from vault.database.tables import marks
from vault.errors import DomainError
from vault.keys.store import KeyStore

MARK: Final = "first-link"
LIFE: Final = timedelta(hours=1)
SOMEBODY = select(practitioners.c.id).limit(1)


class FirstLink:
    """Inside ``store.organisation``."""

    def __init__(self, database: Database, keys: KeyStore, now: Now) -> None:
        self._database = database
        self._keys = keys
        self._now = now

    async def make(self) -> str | None:
        """A new link's secret; None where there is an account."""
        secret = secrets.token_urlsafe(32)
        until = int((self._now() + LIFE).timestamp())
        async with self._database.write() as connection:
            if (await connection.execute(SOMEBODY)).first() is not None:
                return None
            await write_mark(connection, MARK, f"{self._index(secret)}.{until}")
        return secret

    async def good(self, secret: str) -> bool:
        """Whether this is the one that is good now. That is no use of it."""
        async with self._database.read() as connection:
            alone = (await connection.execute(SOMEBODY)).first() is None
            return await self._mark(connection, secret) is not None and alone

    async def spend(self, connection: AsyncConnection, secret: str, account: str, made: Organisation) -> None:
        """For this account, the only one, inside its transaction; the organisation says what it is from here on.

        Errors: ``link_invalid``, also for whoever comes second.
        """
        mark = await self._mark(connection, secret)
        spent = delete(marks).where(marks.c.name == MARK, marks.c.value == mark)
        if mark is None or (await connection.execute(spent)).rowcount != 1:
            raise DomainError("link_invalid")
        if (await connection.execute(SOMEBODY.where(practitioners.c.id != account))).first() is not None:
            raise DomainError("link_invalid")
        key, known = await self._keys.get(made.id, made.id)
        changed = await connection.execute(replace_organisation(key, made)) if known else None
        if changed is None or changed.rowcount != 1:
            raise DomainError("try_again")

    async def _mark(self, connection: AsyncConnection, secret: str) -> str | None:
        """What stands in the database for this link, if it is the newest one and not too old."""
        value = await read_mark(connection, MARK)
        index, _, until = (value or "").partition(".")
        if not hmac.compare_digest(index.encode(), self._index(secret).encode()) or not until.isdecimal():
            return None
        return value if self._now().timestamp() < int(until) else None

    def _index(self, secret: str) -> str:
        return self._keys.session_index(f"{MARK}|{secret}").hex()
