"""What is due: found by its day, which stands in clear, and by its moment, which is inside.

Each sweep lists ids and versions of all whose day has come. A row is opened once for each version and once more when
its moment has come; in between its moment is remembered here, and nothing else of it.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, literal, select, tuple_, type_coerce
from sqlalchemy.types import NullType

from rooms.clock import Clock
from rooms.model import Appointment
from rooms.retention import Deadline
from rooms.store.database import Database
from rooms.store.reading import Reader
from rooms.store.tables import LIVING, appointments

PAGE = 2000
BATCH = 500
AT_ONCE = 10  # what takes its time elsewhere, mostly in Redis
MOST = 200_000
"""So many moments are remembered at most; rows beyond are opened by each sweep."""

DAY = type_coerce(appointments.c.due_day, NullType())  # as it is stored: on SQLite any text can be
LISTED = select(appointments.c.id, appointments.c.version, DAY.label("day")).where(LIVING)


class Known(NamedTuple):
    """When a version of a row is due; None is never."""

    version: int
    due: datetime | None


class Batch(NamedTuple):
    """``gone`` are rows whose key was destroyed before (owner, id): another server was quicker, or they came back."""

    due: list[Appointment]
    gone: list[tuple[str, str]]


class Due:
    """Living appointments past due. One sweep at a time."""

    def __init__(self, database: Database, reader: Reader, deadline: Deadline, clock: Clock) -> None:
        self._database = database
        self._reader = reader
        self._deadline = deadline
        self._clock = clock
        self._known: dict[str, Known] = {}

    async def batches(self, most: int | None = None, *, unsure: bool = False) -> AsyncIterator[Batch]:
        """All of them, by day. With ``most`` it ends after the batch with which so many rows were opened.

        ``unsure`` as for ``Deadline.forbids``.
        """
        known: dict[str, Known] = {}
        seen = 0
        async for rows in self._listed():
            now = self._clock.now()
            doubtful = []
            for row in rows:
                before = self._known.get(row.id)
                if before is None or before.version != row.version or (before.due is not None and before.due <= now):
                    doubtful.append(row.id)
                else:
                    known[row.id] = before
            for start in range(0, len(doubtful), BATCH):
                batch = await self._opened(doubtful[start : start + BATCH], known, unsure)
                if batch.due or batch.gone:
                    yield batch
                seen += BATCH
                if most is not None and seen >= most:
                    return
        self._known = known

    async def _listed(self) -> AsyncIterator[Sequence[Row[Any]]]:
        today = self._clock.now().astimezone(UTC).date()
        query = LISTED.where(appointments.c.due_day <= today).order_by(appointments.c.due_day, appointments.c.id)
        last: Row[Any] | None = None
        full = True
        while full:
            part = query
            if last is not None:
                after = tuple_(literal(last.day, NullType()), literal(last.id))
                part = query.where(tuple_(DAY, appointments.c.id) > after)
            async with self._database.read() as connection:
                rows = (await connection.execute(part.limit(PAGE))).all()
            if rows:
                last = rows[-1]
                yield rows
            full = len(rows) == PAGE

    async def _opened(self, ids: Sequence[str], known: dict[str, Known], unsure: bool) -> Batch:
        query = select(appointments).where(appointments.c.id.in_(ids), LIVING)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        opened = await self._reader.open(rows)
        past = []
        for one in opened.living:
            if self._deadline.past(one):
                past.append(one)
            elif len(known) < MOST:
                known[one.id] = Known(one.version, one.due)
        due = []
        for start in range(0, len(past), AT_ONCE):
            part = past[start : start + AT_ONCE]
            said = await asyncio.gather(*(self._deadline.forbids(one, unsure=unsure) for one in part))
            due += [one for one, forbidden in zip(part, said, strict=True) if forbidden]
        gone = set(opened.gone)
        return Batch(due, [(row.owner, row.id) for row in rows if row.id in gone])
