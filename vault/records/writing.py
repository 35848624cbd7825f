"""Writing rows: a first one under a key of its own, and one in place of another.

A key is there before its row, and is forgotten where the row is not wanted after all. Where nobody can say whether the
row came, the key stays: the sweep finds out.
"""

from collections.abc import Awaitable, Callable

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vault.clock import Now
from vault.database.database import Database
from vault.keys.store import KeyStore
from vault.records.records import Kind, R

Allowed = Callable[[AsyncConnection], Awaitable[bool]]
"""Whether a row may be written, asked inside its transaction. It refuses by False: what it raises is a fault."""

Along = Callable[[Allowed], Awaitable[bool]]
"""Carries a change out in a transaction that something else is written in too; whether it was done."""


async def always(_: AsyncConnection) -> bool:
    """For what is allowed whatever the database holds."""
    return True


class Writer:
    """For records that are written one by one."""

    def __init__(self, database: Database, keys: KeyStore, now: Now) -> None:
        self._database = database
        self._keys = keys
        self._now = now

    async def first(self, kind: Kind[R], record: R, allowed: Allowed, along: Along | None = None) -> bool:
        """A new row under a new key, on disk when this returns; False where it is not allowed. Errors: DomainError.

        ``along`` writes more with it.
        """
        key = await self._keys.add(record.owner, record.id, self._now())

        async def add(connection: AsyncConnection) -> bool:
            if not await allowed(connection):
                return False
            await connection.execute(insert(kind.table).values(kind.seal(key, record)))
            return True

        if not await self._written(add, along):
            await self._keys.discard([record.id])
            return False
        # A server that does not know this table must not take the key for one whose row never came.
        await self._keys.confirm([record.id])
        return True

    async def instead(self, kind: Kind[R], record: R, allowed: Allowed, along: Along | None = None) -> bool:
        """The row in its next version; False where it is not allowed, changed meanwhile or is being destroyed.

        ``along`` writes more with it.
        """
        key, there = await self._keys.get(record.owner, record.id)
        if not there:
            return False
        table = kind.table
        unchanged = (table.c.id == record.id, table.c.version == record.version - 1, kind.is_living)
        values = kind.seal(key, record)

        async def change(connection: AsyncConnection) -> bool:
            if not await allowed(connection):
                return False
            return (await connection.execute(update(table).where(*unchanged).values(values))).rowcount == 1

        return await self._written(change, along)

    async def _written(self, change: Allowed, along: Along | None) -> bool:
        """In a transaction of its own, or in that of ``along``."""
        if along is not None:
            return await along(change)
        async with self._database.write() as connection:
            return await change(connection)
