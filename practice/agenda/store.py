"""Appointments: one sealed content per row, its key in the key store."""

from collections.abc import Container, Sequence
from dataclasses import replace
from datetime import date, datetime, tzinfo
from functools import partial
from typing import Any

from sqlalchemy import Row, bindparam, insert, select

from practice.accounts.model import Language
from practice.accounts.people import People
from practice.accounts.records import practitioners
from practice.agenda.ages import NOT_ASKED, Age
from practice.agenda.cancelling import cancelled, is_off, kept
from practice.agenda.changes import (
    MAX_NAME,
    Clash,
    Correction,
    begun_anew,
    checked,
    demand_possible,
    invited,
    wished,
    with_address,
)
from practice.agenda.consenting import AsksOf
from practice.agenda.due_times import CapOf, DueTimes, under
from practice.agenda.guests import whose
from practice.agenda.handing import TIMES
from practice.agenda.labels import seen
from practice.agenda.model import Agenda, Appointment, Attendance, Contact, Glimpse, WalkIn, glimpsed, told_as
from practice.agenda.posting import Post
from practice.agenda.records import APPOINTMENTS, Decoy, appointments, decoy, seal_appointment
from practice.agenda.starts import KnownStart, Starts
from practice.agenda.turning import ROW, Turning, asked, first
from practice.agenda.visit import Host, Visit
from practice.agenda.wishes import Wish, demand_typed
from practice.names import named
from vault.database.marks import is_closing
from vault.destruction.deadline import Deadline
from vault.errors import DomainError, Tampered
from vault.keys.places import NOBODY
from vault.keys.receipt import Receipt
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.stores import Means, RecordStore
from vault.records.writing import Allowed, always

ACCOUNT = select(practitioners).where(practitioners.c.id == bindparam("owner")).with_for_update(read=True)
NEW = insert(appointments)
VISITED = (
    select(appointments, practitioners.c.profile, practitioners.c.version.label("host_version"))
    .join_from(appointments, practitioners, practitioners.c.id == appointments.c.owner)
    .where(appointments.c.id.in_(bindparam("line", expanding=True)))
)
THEIRS = (appointments.c.owner == bindparam("owner"), APPOINTMENTS.is_living)
LIVING = select(*(column for column in appointments.c if column.name != "due_day")).where(*THEIRS)
LISTED = select(appointments.c.id, appointments.c.version).where(*THEIRS)
SOME = LIVING.where(appointments.c.id.in_(bindparam("ids", expanding=True)))
FEW = 500
"""So many rows are asked for by their ids; of more, all of the owner's are asked for."""


class Appointments(RecordStore):
    """``store.appointments``. Past due, no method gives an appointment, whether or not the sweeper came by."""

    def __init__(
        self,
        means: Means,
        people: People,
        starts: Starts,
        deadline: Deadline,
        due_times: DueTimes,
        cap_of: CapOf,
        asks_of: AsksOf,
        post: Post,
    ) -> None:
        super().__init__(means)
        self.turning = Turning(means, people, deadline, due_times, post)
        self._people = people
        self._starts = starts
        self._deadline = deadline
        self._due_times = due_times
        self._cap_of = cap_of
        self._asks_of = asks_of
        self._post = post
        self._visited = VISITED.add_columns(post.unopened.label("unopened"))
        self._decoy: Decoy | None = None

    async def create(
        self,
        scope: Scope,
        patient: str,
        starts_at: datetime,
        minutes: int,
        language: Language,
        *,
        mail: str | None = None,
        phone: str | None = None,
        code: bool = False,
        age: Age = NOT_ASKED,
        walk_in: WalkIn | None = None,
        within: Allowed = always,
    ) -> Appointment:
        """A new appointment, on disk when this returns. ``starts_at`` is aware. With an address the patient is invited.

        Errors: ``invalid`` (also so long ago that it would be due already, or years away), ``not_found`` (the owner),
        ``try_again`` while the disk is nearly full, ``conflict`` where ``within`` says no.
        """
        patient, owner = named(patient, "patient", MAX_NAME), scope.owner_of(APPOINTMENTS.name)
        mail, phone = await self._post.demand(owner, mail or None, phone or None)
        demand_possible(self._now(), starts_at, minutes, language, age)
        self._reserve.require()
        owner_key, known = await self._people.key(owner)
        if not known:
            raise DomainError("not_found")
        key = await self._keys.add(owner, appointment_id := walk_in.id if walk_in else new_id(), self._now())
        planned = Appointment(
            appointment_id, owner, patient, starts_at, minutes, language, "planned", None, new_id(), None, 1,
            contact=Contact(mail, phone, new_id()) if mail or phone else None,
            number=walk_in.number if walk_in else None, code=code, age=age,
        )  # fmt: skip
        async with self._database.write() as connection:
            # FOR SHARE: a change of the setting comes wholly before or wholly after this row
            person = (await connection.execute(ACCOUNT, {"owner": owner})).one_or_none()
            if person is None or await is_closing(connection, owner):
                raise DomainError("not_found")
            if not await within(connection):
                raise DomainError("conflict")
            planned = replace(with_address(planned), asks=await self._asks_of(connection, owner))
            planned = under(planned, await self._cap_of(connection, owner))
            planned = self._due_times.with_due(planned, self._people.profile(owner_key, person).retention)
            if self._deadline.past(planned):
                raise DomainError("invalid", "starts_at")
            await connection.execute(NEW, seal_appointment(key, planned))
            if planned.contact is not None:
                await self._post.follow(connection, key, planned)
        self._post.hurry()
        return seen(planned, scope)

    async def get(self, scope: Scope, appointment_id: str) -> Appointment:
        """One that the scope covers. Errors: ``not_found`` (also for any other), ``gone``, ``unreadable``."""
        return seen(await self._whole(scope, appointment_id), scope)

    async def is_told(self, scope: Scope, appointment_id: str, guest: str | None = None) -> bool:
        """Whether its patient has an address, or this guest, also where the scope is shown none. Errors: as ``get``."""
        scope.demand("practitioner", "assistant")
        one = await self._whole(scope, appointment_id)
        contacts = {None: one.contact} | {each.id: each.contact for each in one.guests}
        return contacts.get(guest) is not None

    async def _whole(self, scope: Scope, appointment_id: str) -> Appointment:
        row = await self.turning.covered(scope, appointment_id)
        if row.state == "destroying":
            raise DomainError("gone")
        appointment, _ = await self._reader.one(APPOINTMENTS, row)
        if await self._deadline.forbids(appointment):
            raise DomainError("gone")
        return appointment

    async def by_link(self, scope: Scope, secret: str) -> Visit | None:
        """What a link to the appointment of the scope leads to, the patient's or a guest's, to whomever that was handed
        over since.

        Unknown ids cost the same with a decoy. Nobody can say whether a link to a damaged appointment is right: it
        leads nowhere.
        """
        scope.demand("guest")
        line = self._line(asked(scope.appointment or NOBODY))
        rows = await self._database.ask(self._visited, {"line": line})
        row = max(rows, key=lambda one: line.index(one.id), default=None)
        owner, wanted = (NOBODY, NOBODY) if row is None else (row.owner, row.id)
        try:
            keys = await self._keys.get_with_owner(owner, wanted)
            found = row if row is not None and keys.known else self._decoy_row(keys.key)
            appointment = self._reader.reopen(APPOINTMENTS, keys.key, found)
        except Tampered:
            return None
        right, guest = whose(appointment, secret)
        off = appointment.state == "destroying" or is_off(appointment, self._now()) or appointment.withdrawn_at
        refused = off or await self._deadline.forbids(appointment)
        if row is None or not (keys.known and right) or refused:
            return None
        host = Host(owner, row.profile, row.host_version)
        told = told_as(appointment, guest) if guest else appointment
        unopened = bool(row.unopened)
        return Visit(told, self._people, keys, host, unopened=unopened, guest=guest, whole=appointment)

    async def list(
        self, scope: Scope, first_day: date, last_day: date, zone: tzinfo | None = None
    ) -> Sequence[Appointment]:
        """The owner's between two days of ``zone``, both included; without it by the day where each was planned.

        Sorted by start.
        """
        return (await self.agenda(scope, first_day, last_day, zone)).appointments

    async def agenda(self, scope: Scope, first_day: date, last_day: date, zone: tzinfo | None = None) -> Agenda:
        """The same, and all of theirs that cannot be read: of these nobody knows the day."""
        found = await self._agenda(scope.owner_of(APPOINTMENTS.name), first_day, last_day, zone)
        return replace(found, appointments=[seen(one, scope) for one in found.appointments])

    async def glimpses(
        self, scope: Scope, first_day: date, last_day: date, zone: tzinfo, *, walk_ins: bool = True
    ) -> tuple[Sequence[Glimpse], int]:
        """What whoever was given sight of an agenda reads of it, sorted by start, and how many cannot be read; also of
        who came to an open hour, unless not ``walk_ins``.

        Errors: ``not_found`` (any other scope).
        """
        found = await self._agenda(scope.looked_at, first_day, last_day, zone)
        shown = [glimpsed(one) for one in found.appointments if walk_ins or one.number is None]
        return shown, len(found.damaged)

    async def _agenda(self, owner: str, first_day: date, last_day: date, zone: tzinfo | None) -> Agenda:
        def inside(starts_at: datetime) -> bool:
            return first_day <= (starts_at.astimezone(zone) if zone else starts_at).date() <= last_day

        starts, outside = self._starts, dict[str, KnownStart]()
        if starts.any_outside(owner, inside):
            listed = [(row.id, row.version) for row in await self._database.ask(LISTED, {"owner": owner})]
            outside = starts.outside(owner, listed, inside)
            rows = await self._living(owner, [one for one, _ in listed], outside)
        else:
            rows = await self._database.ask(LIVING, {"owner": owner})
        opened = await self._reader.open(APPOINTMENTS, rows)
        starts.keep(owner, outside | {one.id: KnownStart(one.version, one.starts_at) for one in opened.living})
        wanted = [one for one in opened.living if inside(one.starts_at)]
        over = {one.id for one in await self._deadline.forbidden(wanted, unsure=True)}
        living = [one for one in wanted if one.id not in over]
        return Agenda(sorted(living, key=lambda one: (one.starts_at, one.id)), opened.damaged)

    async def _living(self, owner: str, ids: Sequence[str], but: Container[str]) -> Sequence[Row[Any]]:
        """The rows of these ids but those."""
        wanted = [one for one in ids if one not in but]
        if len(wanted) > FEW:
            return await self._database.ask(LIVING, {"owner": owner})
        return await self._database.ask(SOME, {"owner": owner, "ids": wanted}) if wanted else []

    async def change(self, scope: Scope, appointment_id: str, correction: Correction) -> Appointment:
        """Correct one that has not ended; its link stays, and its due time follows from the new end. On disk when
        this returns.

        Errors: ``invalid`` (also moved so far back that it would be due already), ``not_found`` (also for somebody
        else's), ``gone``, ``ended``, ``bad_state`` (of one that is ``held``), ``conflict`` (``Clash``).
        """
        scope.demand("practitioner", "assistant")
        correction = checked(correction, self._now())
        await self.get(scope, appointment_id)
        row = await self.turning.covered(scope, appointment_id)
        mail, phone = await self._post.demand(row.owner, correction.mail, correction.phone)
        correction = replace(correction, mail=mail, phone=phone)
        try:
            appointment = await self.turning.turn(row, correction.of, late=correction.held)
        except Clash as clash:
            raise Clash(seen(clash.current, scope)) from None
        if self._deadline.past(appointment) and not correction.held:
            raise DomainError("gone")
        return seen(appointment, scope)

    async def begin_anew(self, scope: Scope, appointment_id: str, starts_at: datetime) -> Appointment:
        """One of the queue of an open hour begins then, which nobody is told of. On disk when this returns.

        Errors: ``not_found`` (also for somebody else's), ``gone``, ``ended``, ``bad_state`` (it is of no queue any
        more, or somebody knows whether it was held).
        """
        scope.demand("practitioner", "assistant")
        await self.get(scope, appointment_id)
        row = await self.turning.covered(scope, appointment_id)
        appointment = await self.turning.turn(row, partial(begun_anew, starts_at))
        if self._deadline.past(appointment):
            raise DomainError("gone")
        return seen(appointment, scope)

    async def wish(self, scope: Scope, secret: str, wish: Wish, typed: str) -> Visit | None:
        """What the patient says of the appointment that this link leads to; None where it leads nowhere. On disk when
        this returns; a moved appointment forgets it.

        Errors: ``invalid`` (another word than that of the wish), ``ended``, ``gone``, ``forbidden`` (of a guest).
        """
        demand_typed(wish, typed)
        visit = await self.by_link(scope, secret)
        if visit is None:
            return None
        if visit.guest:
            raise DomainError("forbidden")
        row = first(await self._database.ask(ROW, {"wanted": visit.appointment.id}))
        if row is None:
            return None
        return replace(visit, appointment=await self.turning.turn(row, partial(wished, wish)))

    async def end(self, scope: Scope, appointment_id: str) -> Appointment:
        """The consult is over: the first end counts, and the due time follows from it.

        Errors: ``not_found`` (also for one that the scope does not cover), ``gone`` (destroyed meanwhile).
        """
        scope.demand("practitioner", "assistant", "consult", "operator")
        row = await self.turning.covered(scope, appointment_id)
        now = self._now()
        appointment = await self.turning.turn(
            row, lambda one: replace(one, state="ended", ended_at=now) if one.state == "planned" else one, late=True
        )
        if self._deadline.past(appointment):
            self._sweep()
        return seen(appointment, scope)

    async def reopen(self, scope: Scope, appointment_id: str) -> Appointment:
        """Take an end back: the patient's link opens again, and the due time is the planned one's.

        What is past due stays past due. Errors: ``not_found`` (also for somebody else's), ``gone``.
        """
        scope.demand("practitioner", "assistant", "operator")
        await self.get(scope, appointment_id)
        row = await self.turning.covered(scope, appointment_id)
        appointment = await self.turning.turn(
            row,
            lambda one: replace(one, state="planned", ended_at=None) if one.state == "ended" else one,
        )
        if self._deadline.past(appointment):
            raise DomainError("gone")
        return seen(appointment, scope)

    async def attend(self, scope: Scope, appointment_id: str, attended: Attendance) -> Appointment:
        """Whether it was held: of its consult, which knows, or by hand, which corrects.

        Errors: ``not_found`` (also for one that the scope does not cover), ``gone``; by hand ``bad_state`` (it has not
        begun), ``ended`` (cancelled).
        """
        scope.demand("practitioner", "assistant", "consult")
        seen_live = scope.role == "consult"
        if not seen_live:
            await self.get(scope, appointment_id)
        row, now = await self.turning.covered(scope, appointment_id), self._now()

        def noted(one: Appointment) -> Appointment:
            if not seen_live and one.cancelled_at:
                raise DomainError("ended")
            if not seen_live and one.starts_at > now and one.state == "planned":
                raise DomainError("bad_state")
            return replace(one, attended=attended)

        return seen(await self.turning.turn(row, noted, late=seen_live), scope)

    async def cancel(self, scope: Scope, appointment_id: str, *, held: bool, tell: bool = True) -> Appointment:
        """It is destroyed in a moment (``cancelling.UNDO``), or once its patient was told, unless it is kept before.

        Errors: ``not_found`` (also for somebody else's), ``gone``, ``ended``, ``bad_state`` (``held``).
        """
        scope.demand("practitioner", "assistant")
        await self.get(scope, appointment_id)
        row, now = await self.turning.covered(scope, appointment_id), self._now()
        appointment = await self.turning.turn(row, lambda one: cancelled(one, now, held=held, tell=tell))
        self._sweep()
        return seen(appointment, scope)

    async def keep(self, scope: Scope, appointment_id: str) -> Appointment:
        """Take back that it was cancelled. Errors: ``not_found`` (also for somebody else's), ``gone`` (too late)."""
        scope.demand("practitioner", "assistant")
        await self.get(scope, appointment_id)
        row = await self.turning.covered(scope, appointment_id)
        appointment = await self.turning.turn(row, kept, open_only=True)
        if self._deadline.past(appointment):
            raise DomainError("gone")
        return seen(appointment, scope)

    async def invite(self, scope: Scope, appointment_id: str, *, new_link: bool = False) -> Appointment:
        """Tell its patient of it again; with ``new_link`` the link that they had leads nowhere from here on.

        Errors: ``not_found`` (also for somebody else's), ``gone``, ``ended``, ``invalid`` (there is no address).
        """
        scope.demand("practitioner", "assistant")
        await self.get(scope, appointment_id)
        row = await self.turning.covered(scope, appointment_id)
        return seen(await self.turning.turn(row, partial(invited, new_link), again=True), scope)

    async def receipts(self, scope: Scope) -> Sequence[Receipt]:
        """Receipts of the practitioner's destroyed appointments, newest first."""
        return await self._keys.receipts(scope.owner)

    def _line(self, appointment_id: str) -> Sequence[str]:
        """The ids that an appointment has one after the other, each time that it is handed over."""
        line = [appointment_id]
        for _ in range(TIMES):
            line.append(self._keys.heir(line[-1]))
        return line

    def _decoy_row(self, key: bytes) -> Decoy:
        if self._decoy is None:
            self._decoy = decoy(key)
        return self._decoy
