"""The steps of destroying an appointment, each of which can be repeated.

**Mark the row and commit; delete the key with a receipt; caches; row.** After the second step nothing can bring the
content back. Being cut off anywhere is finished by the next sweep or the next start.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, Select, delete, select, tuple_, update

from rooms.audit import SERVER, Act, Draft, Party, receipt
from rooms.clock import Clock
from rooms.keys.store import KeyStore
from rooms.keys.wrapped import minute
from rooms.model import Receipt
from rooms.retention import Told
from rooms.store.database import Database
from rooms.store.due import Batch
from rooms.store.marks import raise_generation, write_closing
from rooms.store.reading import Reader
from rooms.store.sweeps import Sweeps
from rooms.store.tables import LIVING, MARKED, appointments, practitioners
from rooms.store.trail import Trail

logger = logging.getLogger(__name__)

BATCH = 100
AT_ONCE = 10  # what takes its time elsewhere, mostly in Redis
WRONG_BACKUP = timedelta(days=7)

Target = tuple[str, str]  # owner, id


class Destruction:
    """Rows, keys and what is left between them."""

    def __init__(
        self, database: Database, keys: KeyStore, reader: Reader, trail: Trail, clock: Clock, on_destroy: Told
    ) -> None:
        self._database = database
        self._keys = keys
        self._reader = reader
        self._trail = trail
        self._clock = clock
        self._on_destroy = on_destroy

    async def mark(self, owner: str, appointment_id: str) -> bool:
        """Step 1 for one row that its owner wants gone; False when there is no such row."""
        self._keys.unlocked()
        marking = update(appointments).where(appointments.c.id == appointment_id, appointments.c.owner == owner)
        async with self._database.write() as connection:
            return (await connection.execute(marking.values(state="destroying"))).rowcount == 1

    async def mark_due(self, batch: Batch, sweeps: Sweeps) -> list[Target] | None:
        """Step 1 for rows found due, unless they changed since, and for those that came back without their key.

        None when the lease is lost: somebody else does it.
        """
        versions = [(appointment.id, appointment.version) for appointment in batch.due]
        due = update(appointments).where(tuple_(appointments.c.id, appointments.c.version).in_(versions))
        again = update(appointments).where(appointments.c.id.in_([row_id for _, row_id in batch.gone]), LIVING)
        marked: list[Target] = []
        async with self._database.write() as connection:
            if not await sweeps.renew(connection):
                return None
            for wanted, marking in ((batch.due, due), (batch.gone, again)):
                if wanted:
                    done = marking.values(state="destroying").returning(appointments.c.owner, appointments.c.id)
                    marked += [(row.owner, row.id) for row in await connection.execute(done)]
        if batch.gone:
            logger.warning("destroyed appointments came back and are destroyed again", extra={"count": len(batch.gone)})
        return marked

    async def finish(self, targets: Sequence[Target], by: Party = SERVER) -> list[Receipt]:
        """Steps 2 to 4, entered in the audit trail after the second.

        A row whose caches could not be cleared keeps its mark and is tried again later.
        """
        receipts = await self._keys.destroy(targets, self._clock.now())
        self._reader.forget(*(appointment_id for _, appointment_id in targets))
        await self._trail.record_all([Draft(Act.DESTROYED, by, receipt(one.receipt)) for one in receipts])
        cleared = await self._clear([appointment_id for _, appointment_id in targets])
        gone = delete(appointments).where(appointments.c.id.in_(cleared), appointments.c.state == "destroying")
        async with self._database.write() as connection:
            await connection.execute(gone)
            await raise_generation(connection, max((receipt.generation for receipt in receipts), default=0))
        return receipts

    async def _clear(self, ids: Sequence[str]) -> list[str]:
        """Clear what other parts keep of these; returns the ids of which nothing is left."""
        cleared = []
        for start in range(0, len(ids), AT_ONCE):
            part = ids[start : start + AT_ONCE]
            done = await asyncio.gather(*map(self._on_destroy, part), return_exceptions=True)
            for appointment_id, fault in zip(part, done, strict=True):
                if fault is None:
                    cleared.append(appointment_id)
                else:
                    logger.error("traces are left of a destroyed appointment", exc_info=fault)
        return cleared

    async def finish_marked(self) -> int:
        """Steps 2 to 4 for every row that carries the mark."""
        count = 0
        async for rows in self.batches(select(appointments).where(MARKED)):
            count += len(await self.finish([(row.owner, row.id) for row in rows]))
        return count

    async def recognise(self) -> tuple[int, int]:
        """Rows without a key: those with a receipt (a restored backup) are marked again, the others are alarms.

        Closed accounts that came back are closed again.

        Returns both counts. An alarm is never cleaned up: it may be somebody's appointment and a wrong key store.
        """
        again, alarms = 0, 0
        async for rows in self.batches(select(appointments).where(LIVING)):
            missing = set(await self._keys.missing([row.id for row in rows]))
            for row in rows:
                if row.id not in missing:
                    continue
                if await self._keys.receipt(row.owner, row.id) is None:
                    alarms += 1
                else:
                    again += await self.mark(row.owner, row.id)
        again += await self._recognise_closed()
        if again:
            logger.warning("destroyed appointments came back and are destroyed again", extra={"count": again})
        if alarms:
            logger.error("rows without a key and without a receipt", extra={"count": alarms})
        return again, alarms

    async def _recognise_closed(self) -> int:
        async with self._database.read() as connection:
            people = (await connection.execute(select(practitioners.c.id))).scalars().all()
        closed = [one for one in await self._keys.missing(people) if await self._keys.receipt(one, one)]
        async with self._database.write() as connection:
            for practitioner in closed:
                await write_closing(connection, practitioner)
        return len(closed)

    async def settle(self) -> None:
        """Confirm new keys that have their row; forget those whose row never came or did not come back."""
        unconfirmed = await self._keys.unconfirmed()
        now = minute(self._clock.now())
        for start in range(0, len(unconfirmed), BATCH):
            part = unconfirmed[start : start + BATCH]
            present = await self._present([key for key, _ in part])
            await self._keys.confirm([key for key, _ in part if key in present])
            await self._keys.discard([key for key, after in part if key not in present and after < now])

    async def suspect(self) -> int:
        """Find keys whose row was there once (an older database was restored); returns how many.

        They are kept for a week, so that an operator who took the wrong backup can still take the right one.
        """
        last, count = "", 0
        while part := await self._keys.confirmed(last, BATCH):
            present = await self._present(part)
            lost = [key for key in part if key not in present]
            if lost:
                await self._keys.suspect(lost, self._clock.now() + WRONG_BACKUP)
            last, count = part[-1], count + len(lost)
        if count:
            logger.warning("keys without a row: is the database an older copy?", extra={"count": count})
        return count

    async def _present(self, ids: Sequence[str]) -> set[str]:
        rows = select(appointments.c.id).where(appointments.c.id.in_(ids))
        people = select(practitioners.c.id).where(practitioners.c.id.in_(ids))
        async with self._database.read() as connection:
            return set((await connection.execute(rows.union_all(people))).scalars())

    async def batches(self, query: Select[Any]) -> AsyncIterator[Sequence[Row[Any]]]:
        """The rows of a query on appointments in batches, ordered by id, each batch its own transaction."""
        last = ""
        while True:
            async with self._database.read() as connection:
                part = query.where(appointments.c.id > last).order_by(appointments.c.id).limit(BATCH)
                rows = (await connection.execute(part)).all()
            if not rows:
                return
            yield rows
            last = rows[-1].id
