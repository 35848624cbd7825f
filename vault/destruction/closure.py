"""Destroying all that an owner has, at once, by the way that every record goes.

**All due times become now, in one transaction; the rest is the sweep's.** So it survives being cut off anywhere, a
consult in progress is waited for, and nothing planned meanwhile escapes. Closing an account leaves a mark that refuses
new appointments and signing in; when nothing is left, the account's own key goes like any other, with a receipt.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vault.audit import Act, Draft, practitioner, receipt
from vault.audit.trail import Trail
from vault.clock import Clock
from vault.database.database import Database
from vault.database.marks import closing_accounts, raise_generation, set_behind, write_closing
from vault.database.tables import marks
from vault.destruction.deadline import Deadline, Told
from vault.destruction.destruction import BATCH, Destruction
from vault.destruction.preservation import is_preserved
from vault.errors import DomainError
from vault.keys.receipt import Receipt
from vault.keys.store import KeyStore
from vault.records.reading import Reader
from vault.records.records import Kind, Kinds, Owners
from vault.records.strangers import owns_strange

logger = logging.getLogger(__name__)


Parting = Callable[[AsyncConnection, Any, bytes, datetime], Awaitable[Any]]
"""A record whose owner's account ends, its key, and now: the record as it is then, with its due time."""


@dataclass(frozen=True)
class Emptied:
    """How many were destroyed, how many are in a consult that is waited for, and how many a law demands be kept."""

    destroyed: int
    waiting: int
    preserved: int = field(default=0, kw_only=True)


@dataclass(frozen=True)
class Closed(Emptied):
    """``receipt`` is the account's own, None while consults are waited for, or something is preserved."""

    receipt: Receipt | None


@dataclass(frozen=True)
class Closure:
    """``store.retention.destroy_all`` and ``close``. ``parting`` is, by names of kinds, what becomes of records of an
    account that ends, in place of being due at once.
    """

    database: Database
    kinds: Kinds
    keys: KeyStore
    reader: Reader
    destruction: Destruction
    deadline: Deadline
    trail: Trail
    clock: Clock
    on_close: Told
    parting: Mapping[str, Parting]
    _finishing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def hasten(self, owner: str, *, closing: bool = False) -> None:
        """All of the owner's is due now; with ``closing`` the account ends too. Errors: ``not_found``, ``locked``."""
        async with self.database.write() as connection:
            owners = await self._held(connection, owner)
            for kind in self.kinds:
                if kind.timed:
                    await self._make_due(connection, kind, owner, self.parting.get(kind.name) if closing else None)
                elif closing:
                    await connection.execute(kind.marking().where(kind.ending_with(owner)))
            if closing:
                await write_closing(connection, owner)
                for ending in owners.sign_out(owner):
                    await connection.execute(ending)

    async def empty(self, owner: str) -> Emptied:
        """Destroy all of the owner's that is past due, in no running consult, and kept for nobody."""
        count, waiting, preserved, now = 0, 0, 0, self.clock.now()
        for kind in self.kinds:
            ours = kind.table.c.owner == owner
            if kind.timed:
                async for rows in self.destruction.batches(kind, kind.living().where(ours)):
                    opened = await self.reader.open(kind, rows)
                    free = [one for one in opened.living if not is_preserved(one, now)]
                    due = {one.id: one.version for one in await self.deadline.forbidden(free, unsure=False)}
                    waiting += len(free) - len(due)
                    preserved += len(opened.living) - len(free)
                    count += await self._destroy(kind, owner, due | {one.id: None for one in opened.damaged})
            async for rows in self.destruction.batches(kind, kind.marked().where(kind.ending_with(owner))):
                targets = [(row.owner, row.id) for row in rows]
                count += len(await self.destruction.finish(kind, targets, practitioner(owner)))
        return Emptied(count, waiting, preserved=preserved)

    async def finish(self) -> dict[str, Receipt]:
        """Close the accounts of which nothing is left; their receipts by account. One after the other: each is entered
        once, whether it is the sweep that comes first or who asked for it.
        """
        async with self._finishing:
            return await self._finish()

    async def _finish(self) -> dict[str, Receipt]:
        closed = {}
        async with self.database.read() as connection:
            ending = await closing_accounts(connection)
        for owner in ending:
            async with self.database.read() as connection:
                left = (await connection.execute(self.kinds.owned_by(owner).limit(1))).first() is not None
                if left or await owns_strange(connection, owner):
                    continue
            (closed[owner],) = await self.keys.destroy([(owner, owner)], self.clock.now())
            ended = Draft(Act.ACCOUNT_CLOSED, practitioner(owner), receipt(closed[owner].receipt))
            await self.trail.record_all([ended])
            try:
                await self.on_close(owner)
            except Exception:
                logger.exception("traces are left of a closed account")
                continue
            async with self.database.write() as connection:
                for owners in self.kinds.owners:
                    await connection.execute(delete(owners.table).where(owners.table.c.id == owner))
                await connection.execute(delete(marks).where(marks.c.name == f"closing-{owner}"))
                await set_behind(connection, owner, behind=False)
                await raise_generation(connection, closed[owner].generation)
            self.reader.forget(owner)
        return closed

    async def _held(self, connection: AsyncConnection, owner: str) -> Owners:
        """Among whom this owner is, whose row nobody else changes until the transaction ends. Errors: ``not_found``."""
        for owners in self.kinds.owners:
            row_id = owners.table.c.id
            found = await connection.execute(select(row_id).where(row_id == owner).with_for_update())
            if found.one_or_none() is not None:
                return owners
        raise DomainError("not_found")

    async def _make_due(
        self, connection: AsyncConnection, kind: Kind[Any], owner: str, parting: Parting | None
    ) -> None:
        """Rows that cannot be opened have no due time to move: they are marked."""
        table = kind.table
        living = kind.living().where(table.c.owner == owner)
        rows = (await connection.execute(living.order_by(table.c.id).with_for_update())).all()
        opened = await self.reader.open(kind, rows)
        now, hastened = self.clock.now(), []
        for record in opened.living:
            if record.due is None or record.due > now:
                key = opened.keys[record.id]
                parted = await parting(connection, record, key, now) if parting else replace(record, due=now)
                sealed = kind.seal(key, parted)
                hastened.append({"row": record.id, "day": sealed["due_day"], "sealed": sealed["content"]})
        broken = [*(one.id for one in opened.damaged), *opened.gone]
        if hastened:
            values = {"due_day": bindparam("day"), "content": bindparam("sealed"), "version": table.c.version + 1}
            await connection.execute(update(table).where(table.c.id == bindparam("row")).values(values), hastened)
        for start in range(0, len(broken), BATCH):
            await connection.execute(kind.marking().where(table.c.id.in_(broken[start : start + BATCH])))

    async def _destroy(self, kind: Kind[Any], owner: str, versions: Mapping[str, int | None]) -> int:
        if not versions:
            return 0
        targets = await self.destruction.mark_all(kind, owner, versions)
        return len(await self.destruction.finish(kind, targets, practitioner(owner)))
