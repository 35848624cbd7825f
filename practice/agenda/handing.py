"""Handing appointments over to another practitioner: which ones, and what becomes of them.

**Those to come.** What is over is the record of who held it: it stays, and their setting destroys it (S-27, S-29). The
patient's link leads on. Of both settings the shorter holds for good (S-29). A number is one of the giver's queue.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.people import People
from practice.accounts.records import practitioners
from practice.agenda.due_times import OVERRUN, DueTimes, shorter
from practice.agenda.model import Appointment
from practice.agenda.posting import Post
from practice.agenda.records import APPOINTMENTS
from vault.audit import Act, Draft, appointment, practitioner
from vault.clock import Now
from vault.database.marks import no_closing
from vault.destruction.handing import Becoming, Keyed
from vault.records.records import Kind

TIMES: Final = 8
"""A link leads on so often: each time is one more row that it is looked for in."""

BOTH: Final = (
    select(practitioners)
    .where(practitioners.c.id.in_(bindparam("accounts", expanding=True)))
    .order_by(practitioners.c.id)
    .with_for_update(read=True)
)
"""Neither setting changes, and neither account begins to close, before the transaction ends."""

OPEN: Final = select(practitioners.c.id).where(
    practitioners.c.id.in_(bindparam("accounts", expanding=True)), no_closing(practitioners.c.id)
)
"""Asked when they are locked: PostgreSQL looks at what was true when a statement began, also where it had to wait."""


def handed_over(by: str, taker: str, row_id: str) -> Draft:
    """What the trail has of an appointment that is the taker's now, because ``by`` asked for it."""
    return Draft(Act.APPOINTMENT_HANDED_OVER, practitioner(by), appointment(taker, row_id))


class AppointmentsToCome:
    """``vault.destruction.handing.Transfer`` of appointments."""

    kind: Kind[Appointment] = APPOINTMENTS

    def __init__(self, people: People, due_times: DueTimes, post: Post, now: Now) -> None:
        self._people = people
        self._post = post
        self._due_times = due_times
        self._now = now

    def to_come(self, record: Appointment) -> bool:
        """Whether it was neither held nor missed."""
        planned = record.state == "planned" and record.cancelled_at is None
        return planned and record.ends_at + OVERRUN > self._now() and record.handed < TIMES

    async def between(self, connection: AsyncConnection, giver: str, taker: str) -> Becoming | None:
        """What an appointment is as the taker's. Errors: ``unreadable`` (an account)."""
        accounts = {"accounts": [giver, taker]}
        rows = {row.id: row for row in await connection.execute(BOTH, accounts)}
        if len((await connection.execute(OPEN, accounts)).all()) < len(accounts["accounts"]):
            return None
        settings = []
        for account in (giver, taker):
            key, known = await self._people.key(account)
            if not known:
                return None
            settings.append(self._people.profile(key, rows[account]).retention)
        before, now = settings

        def become(one: Appointment, row_id: str) -> Appointment:
            ceiling = shorter(before, one.ceiling)
            moved = replace(one, id=row_id, owner=taker, version=1, handed=one.handed + 1, ceiling=ceiling, number=None)
            due = self._due_times.with_due(moved, now).due
            return replace(moved, due=min(filter(None, (one.due, due)), key=_utc, default=None))

        return become

    async def carry(self, connection: AsyncConnection, before: Keyed, after: Keyed) -> None:
        """What the patient was told, and is to be told."""
        await self._post.carry(connection, before, after)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
