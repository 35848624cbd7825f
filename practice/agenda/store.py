"""Appointments: one sealed content per row, its key in the key store."""

import hmac
import re
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, NamedTuple, get_args

from sqlalchemy import Row, bindparam, insert, select, update

from practice.accounts.model import Language
from practice.accounts.people import People
from practice.accounts.records import practitioners
from practice.agenda.due_times import DueTimes
from practice.agenda.model import Appointment, State
from practice.agenda.records import APPOINTMENTS, appointments, seal_appointment
from practice.agenda.starts import KnownStart, Starts
from practice.agenda.visit import Host, Visit
from practice.names import named
from vault.clock import Now
from vault.database.database import Database
from vault.database.marks import no_closing
from vault.destruction.deadline import Deadline
from vault.errors import DomainError, Gone, Tampered
from vault.keys.places import NOBODY
from vault.keys.receipt import Receipt
from vault.keys.store import KeyStore
from vault.records.content import new_id
from vault.records.reading import Reader
from vault.records.records import Damaged
from vault.records.scope import Scope
from vault.reserve import Reserve

MAX_NAME = 200
MINUTES = range(5, 481)
FURTHEST = timedelta(days=731)
"""Nobody plans for a year that is further away: two years, of which one may be a leap year."""

ID = re.compile(r"[A-Za-z0-9_-]{22}")
OPEN_ACCOUNT = (
    select(practitioners)
    .where(practitioners.c.id == bindparam("owner"), no_closing(practitioners.c.id))
    .with_for_update(read=True, of=practitioners)
)
NEW = insert(appointments)
ROW = select(appointments).where(appointments.c.id == bindparam("wanted"))
VISITED = ROW.add_columns(practitioners.c.profile, practitioners.c.version.label("host_version")).join_from(
    appointments, practitioners, practitioners.c.id == appointments.c.owner
)
THEIRS = (appointments.c.owner == bindparam("owner"), APPOINTMENTS.is_living)
LIVING = select(*(column for column in appointments.c if column.name != "due_day")).where(*THEIRS)
LISTED = select(appointments.c.id, appointments.c.version).where(*THEIRS)
SOME = LIVING.where(appointments.c.id.in_(bindparam("ids", expanding=True)))
FEW = 500
"""So many rows are asked for by their ids; of more, all of the owner's are asked for."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Agenda:
    """Appointments by their start, and those of the same owner whose start nobody can read."""

    appointments: list[Appointment]
    damaged: list[Damaged]


class Decoy(NamedTuple):
    """A row under the key of nobody, opened when there is no other: an unknown id must not be quicker."""

    id: str
    owner: str
    state: str
    due_day: date | None
    content: bytes
    version: int


class Appointments:
    """``store.appointments``. Past due, no method gives an appointment, whether or not the sweeper came by."""

    def __init__(
        self,
        database: Database,
        keys: KeyStore,
        reader: Reader,
        people: People,
        starts: Starts,
        deadline: Deadline,
        due_times: DueTimes,
        now: Now,
        reserve: Reserve,
        on_due: Callable[[], None],
    ) -> None:
        self._reserve = reserve
        self._database = database
        self._keys = keys
        self._reader = reader
        self._people = people
        self._starts = starts
        self._deadline = deadline
        self._due_times = due_times
        self._now = now
        self._on_due = on_due
        self._decoy: Decoy | None = None

    async def create(
        self, scope: Scope, patient: str, starts_at: datetime, minutes: int, language: Language
    ) -> Appointment:
        """A new appointment, on disk when this returns. ``starts_at`` is aware.

        Errors: ``invalid`` (also so long ago that it would be due already, or years away), ``not_found`` (the owner),
        ``try_again`` while the disk is nearly full.
        """
        patient = named(patient, "patient", MAX_NAME)
        if minutes not in MINUTES:
            raise DomainError("invalid", "minutes")
        if language not in get_args(Language):
            raise DomainError("invalid", "language")
        if starts_at.utcoffset() is None or abs(starts_at - self._now()) > FURTHEST:
            raise DomainError("invalid", "starts_at")
        self._reserve.require()
        owner = scope.owner
        owner_key, known = await self._people.key(owner)
        if not known:
            raise DomainError("not_found")
        appointment_id = new_id()
        key = await self._keys.add(owner, appointment_id, self._now())
        planned = Appointment(
            appointment_id, owner, patient, starts_at, minutes, language, "planned", None, new_id(), None, 1
        )
        async with self._database.write() as connection:
            # FOR SHARE: a change of the setting comes wholly before or wholly after this row
            person = (await connection.execute(OPEN_ACCOUNT, {"owner": owner})).one_or_none()
            if person is None:
                raise DomainError("not_found")
            planned = self._due_times.with_due(planned, self._people.profile(owner_key, person).retention)
            if self._deadline.past(planned):
                raise DomainError("invalid", "starts_at")
            await connection.execute(NEW, seal_appointment(key, planned))
        return planned

    async def get(self, scope: Scope, appointment_id: str) -> Appointment:
        """One that the scope covers. Errors: ``not_found`` (also for any other), ``gone``, ``unreadable``."""
        row = await self._covered(scope, appointment_id)
        if row.state == "destroying":
            raise DomainError("gone")
        appointment, _ = await self._reader.one(APPOINTMENTS, row)
        if await self._deadline.forbids(appointment):
            raise DomainError("gone")
        return appointment

    async def by_link(self, scope: Scope, secret: str) -> Visit | None:
        """What a patient's link to the appointment of the scope leads to. Unknown ids cost the same with a decoy.

        Nobody can say whether a link to a damaged appointment is right: it leads nowhere.
        """
        scope.demand("guest")
        row = first(await self._database.ask(VISITED, {"wanted": asked(scope.appointment or NOBODY)}))
        owner, wanted = (NOBODY, NOBODY) if row is None else (row.owner, row.id)
        try:
            keys = await self._keys.get_with_owner(owner, wanted)
            found = row if row is not None and keys.known else self._decoy_row(keys.key)
            appointment = self._reader.reopen(APPOINTMENTS, keys.key, found)
        except Tampered:
            return None
        right = hmac.compare_digest(appointment.secret.encode(), secret.encode())
        refused = appointment.state == "destroying" or await self._deadline.forbids(appointment)
        if row is None or not (keys.known and right) or refused:
            return None
        return Visit(appointment, self._people, keys, Host(owner, row.profile, row.host_version))

    async def list(
        self, scope: Scope, first_day: date, last_day: date, zone: tzinfo | None = None
    ) -> Sequence[Appointment]:
        """The practitioner's between two days of ``zone``, both included; without it by the day where each was planned.

        Sorted by start.
        """
        return (await self.agenda(scope, first_day, last_day, zone)).appointments

    async def agenda(self, scope: Scope, first_day: date, last_day: date, zone: tzinfo | None = None) -> Agenda:
        """The same, and all of theirs that cannot be read: of these nobody knows the day."""

        def inside(starts_at: datetime) -> bool:
            return first_day <= (starts_at.astimezone(zone) if zone else starts_at).date() <= last_day

        owner, starts = scope.owner, self._starts
        listed = [(row.id, row.version) for row in await self._database.ask(LISTED, {"owner": owner})]
        outside = starts.outside(owner, listed, inside)
        opened = await self._reader.open(APPOINTMENTS, await self._living(owner, [one for one, _ in listed], outside))
        starts.keep(owner, outside | {one.id: KnownStart(one.version, one.starts_at) for one in opened.living})
        wanted = [one for one in opened.living if inside(one.starts_at)]
        living = [one for one in wanted if not self._deadline.past(one) or not await self._deadline.forbids(one)]
        return Agenda(sorted(living, key=lambda one: (one.starts_at, one.id)), opened.damaged)

    async def _living(self, owner: str, ids: Sequence[str], but: Container[str]) -> Sequence[Row[Any]]:
        """The rows of these ids but those."""
        wanted = [one for one in ids if one not in but]
        if len(wanted) > FEW:
            return await self._database.ask(LIVING, {"owner": owner})
        return await self._database.ask(SOME, {"owner": owner, "ids": wanted}) if wanted else []

    async def end(self, scope: Scope, appointment_id: str) -> Appointment:
        """The consult is over: the first end counts, and the due time follows from it.

        Errors: ``not_found`` (also for one that the scope does not cover), ``gone`` (destroyed meanwhile).
        """
        scope.demand("practitioner", "consult", "operator")
        row = await self._covered(scope, appointment_id)
        appointment = await self._turn(row, "planned", state="ended", ended_at=self._now())
        if self._deadline.past(appointment):
            self._on_due()
        return appointment

    async def reopen(self, scope: Scope, appointment_id: str) -> Appointment:
        """Take an end back: the patient's link opens again, and the due time is the planned one's.

        What is past due stays past due. Errors: ``not_found`` (also for somebody else's), ``gone``.
        """
        scope.demand("practitioner", "operator")
        await self.get(scope, appointment_id)
        row = await self._covered(scope, appointment_id)
        appointment = await self._turn(row, "ended", state="planned", ended_at=None)
        if self._deadline.past(appointment):
            raise DomainError("gone")
        return appointment

    async def _turn(self, row: Row[Any], before: State, **changes: Any) -> Appointment:
        """The appointment with these changes and their due time; as it is unless its state is ``before``."""
        _, key = await self._reader.one(APPOINTMENTS, row)
        owner_key, known = await self._people.key(row.owner)
        if not known:
            raise DomainError("gone")
        async with self._database.write() as connection:
            query = select(practitioners).where(practitioners.c.id == row.owner).with_for_update(read=True)
            person = self._people.profile(owner_key, (await connection.execute(query)).one())
            query = select(appointments).where(appointments.c.id == row.id).with_for_update()
            newest = (await connection.execute(query)).one_or_none()
            if newest is None or newest.state == "destroying":
                raise DomainError("gone")
            appointment = self._reader.reopen(APPOINTMENTS, key, newest)
            if appointment.state == before and (before == "planned" or not self._deadline.past(appointment)):
                changed = replace(appointment, **changes, version=appointment.version + 1)
                appointment = self._due_times.with_due(changed, person.retention)
                values = seal_appointment(key, appointment)
                await connection.execute(update(appointments).where(appointments.c.id == row.id).values(values))
        return appointment

    async def receipts(self, scope: Scope) -> Sequence[Receipt]:
        """Receipts of the practitioner's destroyed appointments, newest first."""
        return await self._keys.receipts(scope.owner)

    async def _covered(self, scope: Scope, appointment_id: str) -> Row[Any]:
        row = first(await self._database.ask(ROW, {"wanted": asked(appointment_id)}))
        if row is not None and scope.covers(row.owner, row.id):
            return row
        destroyed = scope.person is not None and await self._keys.receipt(scope.person, appointment_id) is not None
        raise Gone if destroyed else DomainError("not_found")

    def _decoy_row(self, key: bytes) -> "Decoy":
        if self._decoy is None:
            fields = Appointment(NOBODY, NOBODY, "", EPOCH, 5, "nl", "planned", None, new_id(), EPOCH, 1)
            self._decoy = Decoy(**seal_appointment(key, fields))
        return self._decoy


def asked(appointment_id: str) -> str:
    """The id to look for, whatever somebody typed."""
    return appointment_id if ID.fullmatch(appointment_id) else NOBODY


def first(rows: Sequence[Row[Any]]) -> Row[Any] | None:
    """The row with this id, if there is one."""
    return rows[0] if rows else None
