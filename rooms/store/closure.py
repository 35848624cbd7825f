"""Destroying all that a practitioner has, at once, by the way that every appointment goes.

**All due times become now, in one transaction; the rest is the sweep's.** So it survives being cut off anywhere, a
consult in progress is waited for, and nothing planned meanwhile escapes. Closing an account leaves a mark that refuses
new appointments and signing in; when nothing is left, the account's own key goes like any other, with a receipt.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from rooms.audit import Act, Draft, practitioner, receipt
from rooms.clock import Clock
from rooms.errors import RoomsError
from rooms.keys.store import KeyStore
from rooms.model import Receipt
from rooms.retention import Deadline, Told
from rooms.store.database import Database
from rooms.store.destruction import BATCH, Destruction
from rooms.store.marks import closing_accounts, raise_generation, set_behind, write_closing
from rooms.store.reading import Reader
from rooms.store.sealed import seal_appointment
from rooms.store.tables import LIVING, MARKED, appointments, marks, practitioners, sessions
from rooms.store.trail import Trail

logger = logging.getLogger(__name__)

HASTEN = (
    update(appointments)
    .where(appointments.c.id == bindparam("row"))
    .values(due_day=bindparam("due_day"), content=bindparam("content"), version=appointments.c.version + 1)
)


@dataclass(frozen=True)
class Emptied:
    """How many were destroyed, and how many are in a consult that is waited for."""

    destroyed: int
    waiting: int


@dataclass(frozen=True)
class Closed(Emptied):
    """``receipt`` is the account's own, None while consults are waited for."""

    receipt: Receipt | None


@dataclass(frozen=True)
class Closure:
    """``store.retention.destroy_all`` and ``close``."""

    database: Database
    keys: KeyStore
    reader: Reader
    destruction: Destruction
    deadline: Deadline
    trail: Trail
    clock: Clock
    on_close: Told

    async def hasten(self, owner: str, *, closing: bool = False) -> None:
        """All of the owner's is due now; with ``closing`` the account ends too. Errors: ``not_found``, ``locked``."""
        async with self.database.write() as connection:
            person = select(practitioners.c.id).where(practitioners.c.id == owner).with_for_update()
            if (await connection.execute(person)).one_or_none() is None:
                raise RoomsError("not_found")
            await self._make_due(connection, owner)
            if closing:
                await write_closing(connection, owner)
                await connection.execute(delete(sessions).where(sessions.c.practitioner == owner))

    async def empty(self, owner: str) -> Emptied:
        """Destroy all of the owner's that is past due and in no running consult."""
        count, waiting = 0, 0
        living = select(appointments).where(appointments.c.owner == owner, LIVING)
        async for rows in self.destruction.batches(living):
            opened = await self.reader.open(rows)
            due = [one.id for one in opened.living if await self.deadline.forbids(one, unsure=False)]
            waiting += len(opened.living) - len(due)
            count += await self._destroy(owner, [*due, *(one.id for one in opened.damaged)])
        marked = select(appointments).where(appointments.c.owner == owner, MARKED)
        async for rows in self.destruction.batches(marked):
            count += await self._destroy(owner, [row.id for row in rows])
        return Emptied(count, waiting)

    async def finish(self) -> dict[str, Receipt]:
        """Close the accounts of which nothing is left; their receipts by account."""
        closed = {}
        async with self.database.read() as connection:
            accounts = await closing_accounts(connection)
        for owner in accounts:
            async with self.database.read() as connection:
                some = select(appointments.c.id).where(appointments.c.owner == owner).limit(1)
                if (await connection.execute(some)).first() is not None:
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
                await connection.execute(delete(practitioners).where(practitioners.c.id == owner))
                await connection.execute(delete(marks).where(marks.c.name == f"closing-{owner}"))
                await set_behind(connection, owner, behind=False)
                await raise_generation(connection, closed[owner].generation)
            self.reader.forget(owner)
        if closed:
            await self.keys.rotate()
        return closed

    async def _make_due(self, connection: AsyncConnection, owner: str) -> None:
        """Rows that cannot be opened have no due time to move: they are marked."""
        living = select(appointments).where(appointments.c.owner == owner, LIVING)
        rows = (await connection.execute(living.order_by(appointments.c.id).with_for_update())).all()
        opened = await self.reader.open(rows)
        now, hastened = self.clock.now(), []
        for appointment in opened.living:
            if appointment.due is None or appointment.due > now:
                sealed = seal_appointment(opened.keys[appointment.id], replace(appointment, due=now))
                hastened.append({"row": appointment.id, "due_day": sealed["due_day"], "content": sealed["content"]})
        broken = [*(one.id for one in opened.damaged), *opened.gone]
        if hastened:
            await connection.execute(HASTEN, hastened)
        for start in range(0, len(broken), BATCH):
            part = appointments.c.id.in_(broken[start : start + BATCH])
            await connection.execute(update(appointments).where(part).values(state="destroying"))

    async def _destroy(self, owner: str, ids: Sequence[str]) -> int:
        for appointment_id in ids:
            await self.destruction.mark(owner, appointment_id)
        targets = [(owner, appointment_id) for appointment_id in ids]
        return len(await self.destruction.finish(targets, practitioner(owner))) if ids else 0
