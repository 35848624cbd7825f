"""When an appointment must be gone: by its end, the setting of its practitioner and the operator's cap (S-29)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, timedelta

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.model import RETENTION, Retention
from practice.agenda.cancelling import leaves
from practice.agenda.model import Appointment
from practice.agenda.records import APPOINTMENTS, appointments, seal_appointment
from vault.clock import Clock
from vault.database.marks import set_behind
from vault.errors import DomainError
from vault.records.reading import OpenedRows, Reader

CapOf = Callable[[AsyncConnection, str], Awaitable[Retention | None]]
"""The longest retention that an account's organisation allows, inside the caller's transaction; None for any."""

OVERRUN = timedelta(minutes=30)
"""A consult that never ended counts as ended this long after its planned end: when, by default, its link closes."""

UPDATE = (
    update(appointments)
    .where(appointments.c.id == bindparam("row"), APPOINTMENTS.is_living)
    .values(due_day=bindparam("due_day"), content=bindparam("content"), version=appointments.c.version + 1)
)


class DueTimes:
    """``cap`` is the operator's, in days; None is no limit."""

    def __init__(self, clock: Clock, cap: int | None) -> None:
        self._clock = clock
        self._cap = None if cap is None else timedelta(days=cap)

    def span(self, retention: Retention) -> timedelta | None:
        """From the end of a consult to its destruction; None is never."""
        chosen = RETENTION[retention]
        if self._cap is None:
            return chosen
        return self._cap if chosen is None else min(chosen, self._cap)

    def with_due(self, appointment: Appointment, retention: Retention) -> Appointment:
        """The appointment with its due time under this setting. One that has passed stays: nothing is revived."""
        if appointment.due is not None and appointment.due <= self._clock.now():
            return appointment
        span = self.span(shorter(retention, appointment.ceiling))
        end = appointment.ended_at or appointment.ends_at + OVERRUN
        due = None if span is None else end.astimezone(UTC) + span
        known = appointment.due if appointment.cancelled_at else None  # it leaves no later than was said
        ways = (due, leaves(appointment), known, appointment.withdrawn_at)
        return replace(appointment, due=min(filter(None, ways), default=None))

    def within_a_minute(self, appointment: Appointment) -> bool:
        """Whether the sweeper will have destroyed it a minute from now."""
        return appointment.due is not None and appointment.due <= self._clock.now() + timedelta(minutes=1)


def under(appointment: Appointment, cap: Retention | None) -> Appointment:
    """The appointment under a cap for good, beside those that it was under before."""
    return appointment if cap is None else replace(appointment, ceiling=shorter(cap, appointment.ceiling))


def shorter(one: Retention, other: Retention | None) -> Retention:
    """Of two settings the one that destroys earlier."""
    if other is None:
        return one
    return min(one, other, key=_length)


def _length(setting: Retention) -> timedelta:
    span = RETENTION[setting]
    return timedelta.max if span is None else span


class Planned:
    """All that somebody has planned, whose due times follow their setting. Inside the caller's transaction."""

    def __init__(self, reader: Reader, due_times: DueTimes, cap_of: CapOf) -> None:
        self._reader = reader
        self._due_times = due_times
        self._cap_of = cap_of

    async def demand_allowed(self, connection: AsyncConnection, owner: str, setting: Retention) -> None:
        """Errors: ``not_allowed`` for a longer setting than the organisation's, ``unreadable``."""
        if shorter(setting, await self._cap_of(connection, owner)) != setting:
            raise DomainError("not_allowed")

    async def preview(self, connection: AsyncConnection, owner: str, setting: Retention) -> int:
        """How many this setting destroys within a minute."""
        opened, cap = await self._living(connection, owner), await self._cap_of(connection, owner)
        return self._doomed([self._due_times.with_due(under(one, cap), setting) for one in opened.living])

    async def follow(self, connection: AsyncConnection, owner: str, setting: Retention) -> int:
        """Recompute the due times; the same number."""
        opened = await self._living(connection, owner, lock=True)
        # Before the cap is read: whoever changes that meanwhile leaves a mark that stays.
        await set_behind(connection, owner, behind=any(one.newer for one in opened.damaged))
        cap = await self._cap_of(connection, owner)
        after = [self._due_times.with_due(under(one, cap), setting) for one in opened.living]
        changed = [new for new, old in zip(after, opened.living, strict=True) if new != old]
        if changed:
            rows = [seal_appointment(opened.keys[appointment.id], appointment) for appointment in changed]
            values = [{"row": row["id"], "due_day": row["due_day"], "content": row["content"]} for row in rows]
            await connection.execute(UPDATE, values)
        return self._doomed(after)

    async def _living(self, connection: AsyncConnection, owner: str, *, lock: bool = False) -> OpenedRows[Appointment]:
        """All that is not being destroyed."""
        query = select(appointments).where(appointments.c.owner == owner, APPOINTMENTS.is_living)
        locking = query.order_by(appointments.c.id).with_for_update() if lock else query
        return await self._reader.open(APPOINTMENTS, (await connection.execute(locking)).all())

    def _doomed(self, living: Sequence[Appointment]) -> int:
        return sum(self._due_times.within_a_minute(appointment) for appointment in living)
