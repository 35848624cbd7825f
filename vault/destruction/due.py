"""What is due: found by its day, which stands in clear, and by its moment, which is inside.

Each sweep lists ids and versions of all whose day has come. A row is opened once for each version and once more when
its moment has come; in between its moment is remembered here, and nothing else of it.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, literal, select, tuple_, type_coerce
from sqlalchemy.types import NullType

from vault.clock import Clock
from vault.database.database import Database
from vault.destruction.deadline import Deadline
from vault.destruction.preservation import is_preserved, leaves
from vault.records.reading import Reader
from vault.records.records import Kind, Kinds
from vault.records.scope import Scope

PAGE = 2000
BATCH = 100
AHEAD = timedelta(minutes=1)
"""What is due after midnight is known before."""

MOST = 200_000
"""So many moments are remembered at most; rows beyond are opened by each sweep."""


Swept = Callable[[Scope, Mapping[str, int]], Awaitable[None]]
"""Told how many of whose were destroyed because they were due. It does not raise."""


class KnownMoment(NamedTuple):
    """When a version of a row is due; None is never."""

    version: int
    due: datetime | None


class Batch(NamedTuple):
    """Records of one kind. ``gone`` are rows whose key was destroyed before, as (owner, id): another server was
    quicker, or they came back.
    """

    kind: Kind[Any]
    due: list[Any]
    gone: list[tuple[str, str]]

    def owners(self, marked: Sequence[tuple[str, str]]) -> Counter[str]:
        """Of those that are destroyed, as (owner, id), how many of whose were due, but for what says that it is not to
        be counted.
        """
        due = {one.id for one in self.due if not getattr(one, "uncounted", False)}
        return Counter(owner for owner, row_id in marked if row_id in due)


class Due:
    """Living records past due, of every kind that has a due time. One sweep at a time.

    ``next`` is when the next is due of those whose day has come, as far as the last walk to the end knows.
    """

    def __init__(self, database: Database, kinds: Kinds, reader: Reader, deadline: Deadline, clock: Clock) -> None:
        self._database = database
        self._kinds = kinds
        self._reader = reader
        self._deadline = deadline
        self._clock = clock
        self._known: dict[str, KnownMoment] = {}
        self.next: datetime | None = None

    @property
    def day(self) -> date:
        """The newest that has come, in UTC."""
        return (self._clock.now() + AHEAD).astimezone(UTC).date()

    def nothing(self) -> None:
        """No record's day has come."""
        self._known, self.next = {}, None

    async def batches(self, most: int | None = None, *, unsure: bool = False) -> AsyncIterator[Batch]:
        """All of them, by day. With ``most`` it ends after the batch with which so many rows were opened.

        ``unsure`` as for ``Deadline.forbids``.
        """
        known: dict[str, KnownMoment] = {}
        seen = 0
        for kind in self._kinds.timed:
            async for ids in self._doubtful(kind, known):
                for start in range(0, len(ids), BATCH):
                    batch = await self._opened(kind, ids[start : start + BATCH], known, unsure)
                    if batch.due or batch.gone:
                        yield batch
                    seen += BATCH
                    if most is not None and seen >= most:
                        return
        self._known = known
        self.next = min((one.due for one in known.values() if one.due is not None), default=None)

    async def _doubtful(self, kind: Kind[Any], known: dict[str, KnownMoment]) -> AsyncIterator[list[str]]:
        """Those whose moment is not known or has come; the others go into ``known``."""
        async for rows in self._listed(kind):
            now = self._clock.now()
            doubtful = []
            for row in rows:
                before = self._known.get(row.id)
                if before is None or before.version != row.version or (before.due is not None and before.due <= now):
                    doubtful.append(row.id)
                else:
                    known[row.id] = before
            yield doubtful

    async def _listed(self, kind: Kind[Any]) -> AsyncIterator[Sequence[Row[Any]]]:
        row_id, version, due_day = (kind.table.c[name] for name in ("id", "version", "due_day"))
        day = type_coerce(due_day, NullType())  # as it is stored: on SQLite any text can be
        listed = select(row_id, version, day.label("day")).where(kind.is_living)
        query = listed.where(due_day <= self.day).order_by(due_day, row_id)
        last: Row[Any] | None = None
        full = True
        while full:
            part = query
            if last is not None:
                after = tuple_(literal(last.day, NullType()), literal(last.id))
                part = query.where(tuple_(day, row_id) > after)
            rows = await self._database.ask(part.limit(PAGE))
            if rows:
                last = rows[-1]
                yield rows
            full = len(rows) == PAGE

    async def _opened(self, kind: Kind[Any], ids: Sequence[str], known: dict[str, KnownMoment], unsure: bool) -> Batch:
        async with self._database.read() as connection:
            rows = (await connection.execute(kind.living().where(kind.table.c.id.in_(ids)))).all()
        opened = await self._reader.open(kind, rows)
        past = []
        now = self._clock.now()
        for one in opened.living:
            if self._deadline.past(one) and not is_preserved(one, now):
                past.append(one)
            elif len(known) < MOST:
                known[one.id] = KnownMoment(one.version, leaves(one))
        due = await self._deadline.forbidden(past, unsure=unsure)
        gone = set(opened.gone)
        return Batch(kind, due, [(row.owner, row.id) for row in rows if row.id in gone])
