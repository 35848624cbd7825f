"""Each row against its key, and each key against its row, once after every start, while the server works.

It finds what a restored backup brought back: rows and accounts whose destruction has a receipt are destroyed again,
rows with neither key nor receipt alarm, keys without a row are kept for a week. None of it waits for this: who opens a
row asks the key store about that row (``vault.records.reading``), so nothing of what came back is given to anybody.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import Table, func, literal, select, union_all

from vault.clock import Clock
from vault.database.database import Database
from vault.database.marks import write_closing
from vault.keys.store import KeyStore
from vault.keystore import present
from vault.records.records import Kind, Kinds

logger = logging.getLogger(__name__)

PAGE = 500
WRONG_BACKUP = timedelta(days=7)
"""An operator who took the wrong backup can still take the right one."""


Page = tuple[Sequence[str], int]
"""Ids in order, and how many of them came back and are to be destroyed again."""

Stage = Callable[[str], Awaitable[Page]]


class Comparison:
    """``alarms`` are rows with neither key nor receipt; never cleaned up: it may be a wrong key store."""

    def __init__(self, database: Database, kinds: Kinds, keys: KeyStore, clock: Clock) -> None:
        self._database = database
        self._kinds = kinds
        self._keys = keys
        self._clock = clock
        owners = [(one.table, partial(self._owners, one.table)) for one in kinds.owners]
        rows = [(kind.table, partial(self._rows, kind)) for kind in kinds]
        self._of_tables: tuple[tuple[Table, Stage], ...] = (*owners, *rows)
        self._stages: tuple[Stage, ...] = (self._without_row,)
        self._stage = 0
        self._last = ""
        self._seen = 0
        self._all = 0
        self._lost = 0
        self.alarms = 0

    @property
    def done(self) -> bool:
        """Whether everything was compared."""
        return self._stage == len(self._stages)

    @property
    def waits(self) -> bool:
        """Whether it cannot go on: no key is given a term while the clock is in doubt."""
        return self._stage == len(self._stages) - 1 and self._clock.doubt() is not None

    @property
    def share(self) -> float:
        """How much of all is compared, from 0 to 1."""
        return 1.0 if self.done else min(self._seen / max(self._all, 1), 0.99)

    async def step(self) -> int:
        """Compare one page; returns how many of it came back and are to be destroyed again. Errors: DomainError."""
        if not self._all:
            await self._count()
        ids, again = await self._stages[self._stage](self._last)
        self._seen += len(ids)
        if ids:
            self._last = ids[-1]
        if len(ids) < PAGE:
            self._stage, self._last = self._stage + 1, ""
            if self.done:
                self._tell()
        return again

    async def _count(self) -> None:
        """How much there is to be compared. Nothing comes back while a server runs: what is empty needs no look."""
        counting = (
            select(literal(one.name).label("name"), func.count().label("rows")).select_from(one)
            for one in self._kinds.tables
        )
        counts = {row.name: row.rows for row in await self._database.ask(union_all(*counting))}
        self._stages = (*(stage for table, stage in self._of_tables if counts[table.name]), self._without_row)
        self._all = 2 * sum(counts.values()) + 1  # a row has a key, but for few

    def _tell(self) -> None:
        logger.info("all rows and keys are compared", extra={"count": self._seen})
        if self.alarms:
            logger.error("rows without a key and without a receipt", extra={"count": self.alarms})
        if self._lost:
            logger.warning("keys without a row: is the database an older copy?", extra={"count": self._lost})

    async def _owners(self, table: Table, after: str) -> Page:
        """Closed accounts that came back are closed again."""
        account = table.c.id
        query = select(account).where(account > after).order_by(account).limit(PAGE)
        async with self._database.read() as connection:
            ids = (await connection.execute(query)).scalars().all()
        closed = await self._keys.destroyed([(one, one) for one in await self._keys.missing(ids)])
        if closed:
            async with self._database.write() as connection:
                for _, owner in sorted(closed):
                    await write_closing(connection, owner)
            logger.warning("closed accounts came back and are closed again", extra={"count": len(closed)})
        return ids, len(closed)

    async def _rows(self, kind: Kind[Any], after: str) -> Page:
        """Rows without a key: those with a receipt are marked again.

        So is what lives as long as an account, and whose account has ended: who closed that knew no such kind.
        """
        table = kind.table
        others = () if kind.about is None else (kind.about,)
        query = select(table.c.id, table.c.owner, *others).where(kind.is_living, table.c.id > after)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(table.c.id).limit(PAGE))).all()
        ids = [row.id for row in rows]
        missing = set(await self._keys.missing(ids))
        lost = [(row.owner, row.id) for row in rows if row.id in missing]
        known = await self._keys.destroyed(lost)
        self.alarms += len(lost) - len(known)
        again = {row_id for _, row_id in known}
        if not kind.timed:
            whose = [(row.id, owner) for row in rows for owner in row[1:]]
            ended = await self._keys.destroyed([(owner, owner) for owner in {owner for _, owner in whose}])
            again |= {row_id for row_id, owner in whose if (owner, owner) in ended}
        if again:
            async with self._database.write() as connection:
                await connection.execute(kind.marking().where(table.c.id.in_(again), kind.is_living))
            logger.warning("what was destroyed came back and is destroyed again", extra={"count": len(again)})
        return ids, len(again)

    async def _without_row(self, after: str) -> Page:
        """Keys whose row was there once: an older database was restored. They are kept for a while."""
        ids = await self._keys.confirmed(after, PAGE)
        there = await present(self._database, self._kinds, ids)
        lost = [key for key in ids if key not in there]
        if lost:
            await self._keys.suspect(lost, self._clock.now() + WRONG_BACKUP)
            self._lost += len(lost)
        return ids, 0
