"""The steps of destroying a record of any kind, each of which can be repeated.

**Mark the row and commit; delete the key with a receipt; caches; row.** After the second step nothing can bring the
content back. Being cut off anywhere is finished by the next sweep or the next start.
"""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Update, delete, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vault.audit import SERVER, Act, Draft, Party, receipt
from vault.audit.trail import Trail
from vault.clock import Clock
from vault.database.database import Database
from vault.database.marks import raise_generation
from vault.destruction.deadline import AllTold
from vault.destruction.due import Batch
from vault.destruction.preservation import is_preserved
from vault.destruction.sweeps import Sweeps
from vault.errors import DomainError
from vault.keys.receipt import Receipt
from vault.keys.store import KeyStore
from vault.keys.unseen import minute
from vault.keystore import present
from vault.records.reading import Reader
from vault.records.records import Kind, Kinds
from vault.records.writing import Along

logger = logging.getLogger(__name__)

BATCH = 200

Target = tuple[str, str]  # owner, id


class Destruction:
    """Rows, keys and what is left between them."""

    def __init__(
        self,
        database: Database,
        kinds: Kinds,
        keys: KeyStore,
        reader: Reader,
        trail: Trail,
        clock: Clock,
        on_destroy: AllTold,
    ) -> None:
        self._database = database
        self._kinds = kinds
        self._keys = keys
        self._reader = reader
        self._trail = trail
        self._clock = clock
        self._on_destroy = on_destroy

    async def mark(self, owner: str, row_id: str, *kinds: Kind[Any], along: Along | None = None) -> Kind[Any] | None:
        """Step 1 for one row that its owner wants gone: of what kind it is, None when there is no such row.

        ``along`` writes more with it. Errors: ``bad_state`` (a law demands it: from now on it is due, so that nobody
        gets at it, and a sweep destroys it when that ends).
        """
        self._keys.unlocked()
        found: list[Kind[Any]] = []
        later: list[Kind[Any]] = []

        async def change(connection: AsyncConnection) -> bool:
            for kind in kinds or self._kinds:
                ours = (kind.table.c.id == row_id, kind.table.c.owner == owner)
                if kind.timed and await self._postponed(connection, kind, ours):
                    later.append(kind)
                    return False
                if (await connection.execute(kind.marking().where(*ours))).rowcount == 1:
                    found.append(kind)
                    return True
            return False

        if along is not None:
            await along(change)
        else:
            async with self._database.write() as connection:
                await change(connection)
        if later:
            raise DomainError("bad_state")
        return found[0] if found else None

    async def _postponed(
        self, connection: AsyncConnection, kind: Kind[Any], ours: Sequence[ColumnElement[bool]]
    ) -> bool:
        """Whether this row must not be destroyed yet; it is due at once then."""
        rows = (await connection.execute(kind.living().where(*ours).with_for_update())).all()
        opened, now = await self._reader.open(kind, rows), self._clock.now()
        for one in opened.living:
            if not is_preserved(one, now):
                return False
            if one.due is None or one.due > now:
                sealed = kind.seal(opened.keys[one.id], replace(one, due=now, version=one.version + 1))
                await connection.execute(update(kind.table).where(*ours).values(sealed))
        return bool(opened.living)

    async def mark_due(self, batch: Batch, sweeps: Sweeps) -> list[Target] | None:
        """Step 1 for rows found due, unless they changed since, and for those that came back without their key.

        None when the lease is lost: somebody else does it.
        """
        kind, table = batch.kind, batch.kind.table
        versions = [(record.id, record.version) for record in batch.due]
        due = kind.marking().where(tuple_(table.c.id, table.c.version).in_(versions))
        again = kind.marking().where(table.c.id.in_([row_id for _, row_id in batch.gone]), kind.is_living)
        marked: list[Target] = []
        async with self._database.write() as connection:
            if not await sweeps.renew(connection):
                return None
            if batch.due:
                marked += await self._marked(connection, kind, due)
            back = await self._marked(connection, kind, again) if batch.gone else []
        if back:
            logger.warning("what was destroyed came back and is destroyed again", extra={"count": len(back)})
        if len(back) < len(batch.gone):
            logger.info("another server destroyed these first", extra={"count": len(batch.gone) - len(back)})
        return marked + back

    async def _marked(self, connection: AsyncConnection, kind: Kind[Any], marking: Update) -> list[Target]:
        done = marking.returning(kind.table.c.owner, kind.table.c.id)
        return [(row.owner, row.id) for row in await connection.execute(done)]

    async def mark_all(self, kind: Kind[Any], owner: str, versions: Mapping[str, int | None]) -> list[Target]:
        """Step 1 for those of these ids that are the owner's and in the version that was seen; None is any."""
        self._keys.unlocked()
        ids, table = list(versions), kind.table
        marked: list[Target] = []
        async with self._database.write() as connection:
            for start in range(0, len(ids), BATCH):
                part = ids[start : start + BATCH]
                seen = [(one, version) for one in part if (version := versions[one]) is not None]
                whatever = [one for one in part if versions[one] is None]
                as_seen = tuple_(table.c.id, table.c.version).in_(seen) | table.c.id.in_(whatever)
                marked += await self._marked(connection, kind, kind.marking().where(as_seen, table.c.owner == owner))
        return marked

    async def finish(self, kind: Kind[Any], targets: Sequence[Target], by: Party = SERVER) -> list[Receipt]:
        """Steps 2 to 4, entered in the audit trail after the second.

        A row whose caches could not be cleared keeps its mark and is tried again later.
        """
        receipts = await self._keys.destroy(targets, self._clock.now())
        ids = [row_id for _, row_id in targets]
        self._reader.forget(*ids)
        await self._trail.record_all([Draft(Act.DESTROYED, by, receipt(one.receipt)) for one in receipts])
        cleared = await self._clear(ids) if kind.kept else ids
        gone = delete(kind.table).where(kind.table.c.id.in_(cleared), kind.is_marked)
        async with self._database.write() as connection:
            await connection.execute(gone)
            await raise_generation(connection, max((receipt.generation for receipt in receipts), default=0))
        return receipts

    async def _clear(self, ids: Sequence[str]) -> list[str]:
        """Clear what other parts keep of these; returns the ids of which nothing is left."""
        try:
            faults = await self._on_destroy(ids)
        except Exception:
            logger.exception("traces are left of what was destroyed", extra={"count": len(ids)})
            return []
        for fault in faults.values():
            logger.error("traces are left of what was destroyed", exc_info=fault)
        return [row_id for row_id in ids if row_id not in faults]

    async def finish_marked(self) -> int:
        """Steps 2 to 4 for every row that carries the mark."""
        count = 0
        for kind in self._kinds:
            async for rows in self.batches(kind, kind.marked()):
                count += len(await self.finish(kind, [(row.owner, row.id) for row in rows]))
        return count

    async def settle(self) -> None:
        """Confirm new keys that have their row; forget those whose row never came or did not come back."""
        unconfirmed = await self._keys.unconfirmed()
        now = minute(self._clock.now())
        for start in range(0, len(unconfirmed), BATCH):
            part = unconfirmed[start : start + BATCH]
            there = await present(self._database, self._kinds, [key for key, _ in part])
            await self._keys.confirm([key for key, _ in part if key in there])
            await self._keys.discard([key for key, after in part if key not in there and after < now], now)

    async def batches(self, kind: Kind[Any], query: Select[Any]) -> AsyncIterator[Sequence[Row[Any]]]:
        """The rows of a query on a kind in batches, ordered by id, each batch its own transaction."""
        last, column = "", kind.table.c.id
        while True:
            async with self._database.read() as connection:
                part = query.where(column > last).order_by(column).limit(BATCH)
                rows = (await connection.execute(part)).all()
            if not rows:
                return
            yield rows
            last = rows[-1].id
