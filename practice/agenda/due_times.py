"""When an appointment must be gone: by its end, the setting of its practitioner and the operator's cap (S-29)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, timedelta

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.model import RETENTION, Retention
from practice.agenda.model import Appointment
from practice.agenda.records import APPOINTMENTS, appointments, seal_appointment
from vault.clock import Clock
from vault.database.marks import set_behind
from vault.records.reading import OpenedRows, Reader

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
        span = self.span(retention)
        end = appointment.ended_at or appointment.ends_at + OVERRUN
        return replace(appointment, due=None if span is None else end.astimezone(UTC) + span)

    def within_a_minute(self, appointment: Appointment) -> bool:
        """Whether the sweeper will have destroyed it a minute from now."""
        return appointment.due is not None and appointment.due <= self._clock.now() + timedelta(minutes=1)


class Planned:
    """All that somebody has planned, whose due times follow their setting. Inside the caller's transaction."""

    def __init__(self, reader: Reader, due_times: DueTimes) -> None:
        self._reader = reader
        self._due_times = due_times

    async def preview(self, connection: AsyncConnection, owner: str, setting: Retention) -> int:
        """How many this setting destroys within a minute."""
        opened = await self._living(connection, owner)
        return self._doomed([self._due_times.with_due(appointment, setting) for appointment in opened.living])

    async def follow(self, connection: AsyncConnection, owner: str, setting: Retention) -> int:
        """Recompute the due times; the same number."""
        opened = await self._living(connection, owner, lock=True)
        await set_behind(connection, owner, behind=any(one.newer for one in opened.damaged))
        after = [self._due_times.with_due(appointment, setting) for appointment in opened.living]
        changed = [new for new, old in zip(after, opened.living, strict=True) if new.due != old.due]
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
