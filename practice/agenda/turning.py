"""Changing an appointment under its lock: the one way by which any of them becomes another."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, bindparam, select, update

from practice.accounts.people import People
from practice.accounts.records import practitioners
from practice.agenda.changes import Changed
from practice.agenda.due_times import DueTimes
from practice.agenda.model import Appointment
from practice.agenda.posting import Post
from practice.agenda.records import APPOINTMENTS, appointments, seal_appointment
from vault.database.marks import is_closing
from vault.destruction.deadline import Deadline
from vault.errors import DomainError, Gone
from vault.keys.places import NOBODY
from vault.records.scope import Scope
from vault.records.stores import Means, RecordStore

ID = re.compile(r"[A-Za-z0-9_-]{22}")
ROW = select(appointments).where(appointments.c.id == bindparam("wanted"))


class Turning(RecordStore):
    """For every store that changes appointments."""

    def __init__(self, means: Means, people: People, deadline: Deadline, due_times: DueTimes, post: Post) -> None:
        super().__init__(means)
        self._people = people
        self._deadline = deadline
        self._due_times = due_times
        self._post = post

    async def covered(self, scope: Scope, appointment_id: str) -> Row[Any]:
        """Its row. Errors: ``not_found`` (also for one that the scope does not cover), ``gone``."""
        row = first(await self._database.ask(ROW, {"wanted": asked(appointment_id)}))
        if row is not None and scope.covers(row.owner, row.id):
            return row
        destroyed = scope.person is not None and await self._keys.receipt(scope.person, appointment_id) is not None
        raise Gone if destroyed else DomainError("not_found")

    async def living(self, scope: Scope, appointment_id: str) -> Row[Any]:
        """The row of one that is not past due. Errors: also ``unreadable``."""
        row = await self.covered(scope, appointment_id)
        if row.state == "destroying":
            raise DomainError("gone")
        appointment, _ = await self._reader.one(APPOINTMENTS, row)
        if await self._deadline.forbids(appointment):
            raise DomainError("gone")
        return row

    async def turn(
        self, row: Row[Any], changed: Changed, *, late: bool = False, again: bool = False, open_only: bool = False
    ) -> Appointment:
        """What becomes of the appointment, with the due time that follows. ``late``: also of one that is past due;
        ``again``: its patient is told in any case, as of another link; ``open_only``: not while the account ends.

        Errors: those of ``changed``, with which nothing is written; ``gone``; ``invalid`` for a time with which it
        would be due already.
        """
        _, key = await self._reader.one(APPOINTMENTS, row)
        owner_key, known = await self._people.key(row.owner)
        if not known:
            raise DomainError("gone")
        async with self._database.write() as connection:
            query = select(practitioners).where(practitioners.c.id == row.owner).with_for_update(read=True)
            person = self._people.profile(owner_key, (await connection.execute(query)).one())
            newest = (await connection.execute(ROW.with_for_update(), {"wanted": row.id})).one_or_none()
            if newest is None or newest.state == "destroying":
                raise DomainError("gone")
            if open_only and await is_closing(connection, row.owner):
                raise DomainError("gone")
            before = self._reader.reopen(APPOINTMENTS, key, newest)
            after = before if self._deadline.past(before) and not late else changed(before)
            if after == before and not again:
                return before
            after = self._due_times.with_due(replace(after, version=before.version + 1), person.retention)
            if before.contact or after.contact or before.guests or after.guests or after.cancelled_at:
                after = await self._post.follow(connection, key, after, again=again or after.secret != before.secret)
            over = self._deadline.past(after) and not self._deadline.past(before) and not after.withdrawn_at
            if after.state == before.state and over:
                raise DomainError("invalid", "minutes" if after.starts_at == before.starts_at else "starts_at")
            values = seal_appointment(key, after)
            await connection.execute(update(appointments).where(appointments.c.id == row.id).values(values))
        self._post.hurry()
        return after


def asked(appointment_id: str) -> str:
    """The id to look for, whatever somebody typed."""
    return appointment_id if ID.fullmatch(appointment_id) else NOBODY


def first(rows: Sequence[Row[Any]]) -> Row[Any] | None:
    """The row with this id, if there is one."""
    return rows[0] if rows else None
