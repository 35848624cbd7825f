"""What sweeps know of themselves, for a health check that opens no row and for servers that do not sweep.

Two rows tell it. The *lease* says when the sweep was at work last: a sweep that hangs does not renew it, a sweeper that
died does not take it. The *mark* says what was left over and how often the sweep failed; it is written where that
changed, so an idle sweep writes nothing. A program of before has no mark: then its neighbours look for themselves.
"""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from vault.database.database import Database
from vault.database.leases import Lease
from vault.database.marks import write_mark
from vault.database.tables import leases, marks

MARK = "sweep"


@dataclass(frozen=True)
class Left:
    """How much is past due and still there, since when at the latest, and how many sweeps in a row failed."""

    overdue: int = 0
    since: datetime | None = None
    failures: int = 0


@dataclass(frozen=True)
class SweepsSaid:
    """``at`` is when a sweep was at work last, None when nobody has the lease. ``left`` is None when nobody says it."""

    at: datetime | None = None
    left: Left | None = None


class Sweeps:
    """The lease of the sweep, and what its holder says beside it."""

    def __init__(self, database: Database, lease: Lease) -> None:
        self._database = database
        self._lease = lease
        self._left = Left()
        self._written: Left | None = None

    async def take(self) -> bool:
        """Take or renew the lease; False while another holder's lasts."""
        if await self._lease.take():
            return True
        self._left, self._written = Left(), None
        return False

    async def renew(self, connection: AsyncConnection) -> bool:
        """As ``Lease.renew``; what is left is said in the same transaction."""
        if not await self._lease.renew(connection):
            return False
        self._written = None  # this transaction may be rolled back
        await self._write(connection)
        return True

    def found(self, overdue: int, since: datetime | None) -> None:
        """What is past due at this point of a sweep; said with the next transaction.

        ``since`` is kept to the minute: no moment at which something is due stands in clear, only its day.
        """
        minute = None if since is None else since.astimezone(UTC).replace(second=0, microsecond=0)
        self._left = replace(self._left, overdue=overdue, since=minute)

    async def done(self) -> None:
        """The sweep came to its end."""
        self._left = replace(self._left, failures=0)
        await self._say()

    async def failed(self, good: datetime | None) -> None:
        """It did not. ``good`` is when one last came past all that was due, None for this one. Errors: DomainError."""
        if good is not None and (self._left.since is None or good < self._left.since):
            self.found(self._left.overdue, good)
        self._left = replace(self._left, failures=self._left.failures + 1)
        await self._say()

    async def said(self) -> SweepsSaid:
        """What is known of the sweeps of all servers, by one query."""
        beside = leases.outerjoin(marks, marks.c.name == MARK)
        query = select(leases.c.holder, leases.c.until, marks.c.value).select_from(beside)
        rows = await self._database.ask(query.where(leases.c.name == self._lease.name))
        if not rows:
            return SweepsSaid()
        (row,) = rows
        at = datetime.fromtimestamp(row.until / 1000, UTC) - self._lease.term if row.until else None
        return SweepsSaid(at, None if row.value is None else left_by(row.holder, row.value))

    async def _say(self) -> None:
        if self._left != self._written:
            async with self._database.write() as connection:
                await self._write(connection)
            self._written = self._left

    async def _write(self, connection: AsyncConnection) -> None:
        since = None if self._left.since is None else self._left.since.isoformat()
        fields = {"holder": self._lease.holder, "overdue": self._left.overdue, "since": since}
        await write_mark(connection, MARK, json.dumps({**fields, "failures": self._left.failures}))


def left_by(holder: str, text: str) -> Left | None:
    """What a mark says; None when somebody else than this holder wrote it, or it is none."""
    try:
        fields = json.loads(text)
        since = fields["since"] and datetime.fromisoformat(fields["since"])
        return Left(fields["overdue"], since, fields["failures"]) if fields["holder"] == holder else None
    except (KeyError, TypeError, ValueError):
        return None
