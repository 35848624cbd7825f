"""The calendar feed of an account: made anew by who is signed in, read by whatever has its address.

**The address is shown once and kept nowhere**: a row holds a hash of 32 random bytes, so who reads the database
subscribes to nothing. A new address is a new record under a new key; the old one dies with its own.
"""

import secrets
from hashlib import sha256
from typing import Final

from sqlalchemy import bindparam
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.people import is_open
from practice.feeds.model import Feed
from practice.feeds.records import FEEDS, feeds
from vault.errors import DomainError, Gone, Unreadable
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.stores import RecordStore

TOKEN_BYTES: Final = 32
LONGEST: Final = 100
THEIRS: Final = FEEDS.living().where(feeds.c.owner == bindparam("owner"))
BY_TOKEN: Final = FEEDS.living().where(feeds.c.token == bindparam("token"))


class Feeds(RecordStore):
    """``store.feeds``. Errors of all: ``locked``, ``try_again``."""

    async def of(self, scope: Scope) -> Feed | None:
        """One's own, if there is one. Errors: ``unreadable``."""
        rows = await self._database.ask(THEIRS, {"owner": scope.owner})
        return (await self._reader.one(FEEDS, rows[0]))[0] if rows else None

    async def make(self, scope: Scope) -> tuple[Feed, str]:
        """A new one in place of what there was, and what its address holds: nobody can say it again.

        Errors: ``conflict`` (somebody makes another at the same moment), ``not_found`` (the account is closing).
        """
        self._reserve.require()
        await self._end(scope.owner)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        made = Feed(new_id(), scope.owner, _hash(token).hex(), self._now(), 1)
        found: list[bool] = []

        async def first(connection: AsyncConnection) -> bool:
            found.append(await is_open(connection, made.owner))
            return found[-1] and (await connection.execute(THEIRS, {"owner": made.owner})).first() is None

        if not await self._writer.first(FEEDS, made, first):
            raise DomainError("conflict" if found and found[-1] else "not_found")
        return made, token

    async def end(self, scope: Scope) -> bool:
        """It is read by nobody from now on, and dies; whether there was one."""
        return await self._end(scope.owner)

    async def _end(self, owner: str) -> bool:
        done = await self._database.tell(FEEDS.marking().where(feeds.c.owner == owner, FEEDS.is_living)) > 0
        if done:
            self._sweep()
        return done

    async def whose(self, token: str) -> str | None:
        """Whose feed an address is of; None where it is none."""
        if len(token) > LONGEST or not token.isascii():
            return None
        rows = await self._database.ask(BY_TOKEN, {"token": _hash(token)})
        try:
            return (await self._reader.one(FEEDS, rows[0]))[0].owner if rows else None
        except (Gone, Unreadable):
            return None


def _hash(token: str) -> bytes:
    return sha256(f"feed {token}".encode()).digest()
