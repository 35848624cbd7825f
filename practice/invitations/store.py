"""The outbox: what patients are to be told, written with its cause, and what became of it.

**In the transaction of the cause or not at all**, and under the appointment's own key: what is destroyed takes its
dispatches along, and nothing of them opens from that moment. No row has an address or a text: both are made of the
appointment when it is sent, so what is sent is true. What a later one makes void is taken back.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, bindparam, delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.agenda.cancelling import leaves, let_go
from practice.agenda.model import Appointment
from practice.agenda.records import APPOINTMENTS, appointments, open_appointment, seal_appointment
from practice.invitations.model import WAYS, Dispatch, State, Way
from practice.invitations.parties import as_told, can_be_told, parties, plan_all
from practice.invitations.port import Void
from practice.invitations.records import (
    IS_QUEUED,
    address_mark,
    dispatches,
    milliseconds,
    open_dispatch,
    seal_dispatch,
)
from practice.mailboxes import mailbox
from practice.organisation.records import members
from practice.sms_providers.numbers import Untextable, mobile
from vault.clock import Now
from vault.database.database import Database
from vault.database.leases import Lease
from vault.destruction.deadline import Deadline
from vault.destruction.handing import Keyed
from vault.errors import DomainError, Tampered
from vault.keys.store import KeyStore
from vault.records.content import utc_day

LIFE: Final = timedelta(days=1)
FIRST_WAIT: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(hours=1)
AT_ONCE: Final = 500

OF_ONE = select(dispatches).where(dispatches.c.appointment == bindparam("appointment"))
OF_SOME = (
    select(dispatches)
    .where(dispatches.c.appointment.in_(bindparam("appointments", expanding=True)))
    .order_by(dispatches.c.written, dispatches.c.id)
)
LIVING = (
    select(
        dispatches,
        appointments.c.owner,
        appointments.c.content.label("planned"),
        appointments.c.version.label("of"),
        appointments.c.state.label("planned_state"),
    )
    .join_from(dispatches, appointments, appointments.c.id == dispatches.c.appointment)
    .where(APPOINTMENTS.is_living)
)
WAITING = LIVING.where(IS_QUEUED, dispatches.c.from_day <= bindparam("day")).order_by(
    dispatches.c.written, dispatches.c.id
)
IS_SENT = dispatches.c.state == "sent"
SENT = LIVING.where(IS_SENT, dispatches.c.id == bindparam("came_back"))
ROW = select(appointments).where(appointments.c.id == bindparam("wanted"), APPOINTMENTS.is_living)
LOCKED = ROW.with_for_update(read=True)
THESE = dispatches.c.id.in_(bindparam("visited", expanding=True))
VISITED = update(dispatches).where(THESE, IS_SENT).values(state="opened")
IS_REFUSED = dispatches.c.state == "refused"
ORGANISATION = select(members.c.owner).where(members.c.account == bindparam("account"))
UNOPENED = exists().where(and_(dispatches.c.appointment == appointments.c.id, IS_SENT | IS_REFUSED))


RemindersOf = Callable[[AsyncConnection, str], Awaitable[Sequence[timedelta]]]


@dataclass(frozen=True, slots=True)
class Ready:
    """A dispatch that is to go now, its appointment, and the key of both."""

    dispatch: Dispatch
    appointment: Appointment = field(repr=False)
    key: bytes = field(repr=False)

    @property
    def to(self) -> str | None:
        """The address; None where the appointment has another one since."""
        contact = self.appointment.contact
        found = address_of(self.appointment, self.dispatch.way) if contact else None
        return found if found and address_mark(self.key, found) == self.dispatch.to else None


class Dispatches:
    """``store.outbox``. ``ways`` are those by which anything goes; ``written`` is set when there is something to send.

    ``texts_to`` are the countries whose mobile numbers get text messages, ``has_provider`` says who can send them;
    ``reminders`` says how long before its begin an appointment of somebody's is reminded of. ``sweep`` is told that
    something is due.
    """

    def __init__(
        self,
        database: Database,
        keys: KeyStore,
        deadline: Deadline,
        now: Now,
        ways: Collection[Way],
        texts_to: Sequence[str],
        has_provider: Callable[[str], Awaitable[bool]],
        reminders: RemindersOf,
        sweep: Callable[[], None],
    ) -> None:
        self._database = database
        self._keys = keys
        self._deadline = deadline
        self._now = now
        self._sweep = sweep
        self.ways = frozenset(ways)
        self.texts_to = texts_to
        self.has_provider = has_provider
        self._reminders = reminders
        self.written = asyncio.Event()
        self._later: dict[str, tuple[int, int]] = {}

    @property
    def unopened(self) -> ColumnElement[bool]:
        """Of a row of an appointment: whether something was sent since whose link nobody opened, or was refused."""
        return UNOPENED

    # --- written with its cause --------------------------------------------------------------------------------------

    async def demand(self, owner: str, mail: str | None, phone: str | None) -> tuple[str | None, str | None]:
        """An address as mail servers take it and a number as E.164, of the owner's patient; what is empty stays so.

        Errors: ``invalid`` (also where nothing is sent so), ``Untextable``.
        """
        if mail:
            if "mail" not in self.ways:
                raise DomainError("invalid", "mail")
            try:
                mail = mailbox(mail)
            except ValueError:
                raise DomainError("invalid", "mail") from None
        if phone:
            if not await self.texts(owner):
                raise Untextable("provider")
            phone = await asyncio.to_thread(mobile, phone, self.texts_to)  # what is known of a country is read once
        return mail, phone

    async def texts(self, owner: str) -> bool:
        """Whether this account's patients can be told by text message. Errors: DomainError."""
        return "sms" in self.ways and await self.has_provider(owner)

    async def follow(
        self, connection: AsyncConnection, key: bytes, after: Appointment, *, again: bool = False
    ) -> Appointment:
        """Write down what is to be told now that an appointment is so, and take back what was not sent yet; the
        appointment with its sequence. One that is cancelled and of which nobody is to be told is due sooner.
        """
        rows = (await connection.execute(OF_ONE, {"appointment": after.id})).all()
        if not rows and not can_be_told(after):
            return let_go(after, self._now())
        found = _opened(key, rows)
        before = await self._reminders(connection, after.owner) if can_be_told(after) else ()

        def marks(one: Appointment) -> dict[Way, str]:
            return {way: address_mark(key, to) for way in sorted(self.ways) if (to := address_of(one, way))}

        planned = plan_all(after, marks, found, self._now(), before, again=again)
        written = await self._with_organisation(connection, after.owner, planned.write)
        for one in planned.void:
            await connection.execute(_ended(key, one) if one.begun else delete(dispatches).where(_same(one)))
        if written:
            await connection.execute(insert(dispatches), [seal_dispatch(key, one) for one in written])
        left = {one.id for one in found if one.state == "queued"} - {one.id for one in planned.void}
        return planned.appointment if written or left else let_go(planned.appointment, self._now())

    async def _with_organisation(
        self, connection: AsyncConnection, owner: str, written: Sequence[Dispatch]
    ) -> Sequence[Dispatch]:
        """Who closes an account tells its patients by the provider of the organisation that it is in no more then."""
        if not any(one.way == "sms" for one in written):
            return written
        organisation = (await connection.execute(ORGANISATION, {"account": owner})).scalar_one_or_none()
        return [replace(one, organisation=organisation) if one.way == "sms" else one for one in written]

    async def carry(self, connection: AsyncConnection, before: Keyed, after: Keyed) -> None:
        """An appointment becomes another's: what was written of it is sealed anew under its new key."""
        (old, key), (new, other) = before, after
        rows = (await connection.execute(OF_ONE, {"appointment": old.id})).all()
        addresses = {to for part in parties(old) for way in WAYS if (to := address_of(part, way))}
        marks = {address_mark(key, to): address_mark(other, to) for to in addresses}
        for one in _opened(key, rows):
            moved = replace(one, appointment=new.id, to=marks.get(one.to, one.to), version=one.version + 1)
            values = dict(seal_dispatch(other, moved))
            await connection.execute(update(dispatches).where(dispatches.c.id == one.id).values(values))

    async def part(self, connection: AsyncConnection, one: Appointment, key: bytes, now: datetime) -> Appointment:
        """Its practitioner's account ends: it is due at once, or when its patient was told, if it is still to come."""
        if one.state != "planned" or not can_be_told(one) or one.starts_at <= now:
            return replace(one, due=now)
        off = await self.follow(connection, key, replace(one, cancelled_at=one.cancelled_at or now))
        waits = select(dispatches.c.id).where(dispatches.c.appointment == one.id, IS_QUEUED)
        if (await connection.execute(waits)).first() is None:
            return replace(off, due=now)
        self.written.set()
        return replace(off, due=min(filter(None, (one.due, leaves(off))), default=now))

    def hurry(self) -> None:
        """What was written is on disk."""
        self.written.set()

    # --- for the courier ---------------------------------------------------------------------------------------------

    async def any(self) -> bool:
        """Whether there may be something to send today."""
        query = select(dispatches.c.id).where(IS_QUEUED, dispatches.c.from_day <= utc_day(self._now())).limit(1)
        return bool(await self._database.ask(query))

    async def waiting(self) -> list[Ready]:
        """What is to go now, in the order of the causes. What cannot be read is left: it dies with its appointment."""
        now = self._now()
        rows = await self._database.ask(WAITING, {"day": utc_day(now)})
        self._later = {row.id: self._later[row.id] for row in rows if row.id in self._later}
        wanted = [row for row in rows if not self._is_later(row, milliseconds(now))][:AT_ONCE]
        keys = await self._keys.get_many((row.owner, row.appointment) for row in wanted)
        found = []
        for row in wanted:
            one = _due(keys.get(row.appointment), row)
            if one is None or self._deadline.past(one.appointment):
                continue
            if one.dispatch.again > now:
                self._later[row.id] = (row.version, milliseconds(one.dispatch.again))
            else:
                found.append(one)
        return sorted(found, key=lambda due: _order(due.dispatch))

    def _is_later(self, row: Row[Any], now: int) -> bool:
        """What was opened once and is not to go yet is not opened at each look."""
        version, again = self._later.get(row.id, (row.version, 0))
        return bool(version == row.version and again > now)

    @asynccontextmanager
    async def begun(self, due: Ready, lease: Lease) -> AsyncIterator[None]:
        """The last moment before a server may get it: inside, nobody destroys or changes the appointment.

        Errors: Void, where it is not to go any more, or another server's to send.
        """
        one = due.dispatch
        after = replace(one, begun=True, version=one.version + 1)
        async with self._database.write() as connection:
            row = (await connection.execute(LOCKED, {"wanted": one.appointment})).one_or_none()
            if row is None or row.version != due.appointment.version or self._deadline.past(due.appointment):
                raise Void
            if not await lease.renew(connection):
                raise Void
            if (await connection.execute(_instead(due.key, after))).rowcount != 1:
                raise Void
            yield

    async def later(self, due: Ready, *, begun: bool) -> None:
        """It did not go and is tried again, each time after twice as long."""
        one = due.dispatch
        wait = min(FIRST_WAIT * 2**one.tries, LONGEST_WAIT)
        changes = {"tries": one.tries + 1, "again": self._now() + wait, "begun": one.begun or begun}
        await self._write(due, replace(one, version=one.version + begun), **changes)

    async def done(self, due: Ready, state: State, *, begun: bool, reason: str | None = None) -> None:
        """It is the server's now, or nobody's. What an appointment waited for is let go."""
        one = replace(due.dispatch, version=due.dispatch.version + begun, begun=due.dispatch.begun or begun)
        await self._write(due, one, state=state, at=self._now(), reason=reason)
        if due.appointment.cancelled_at is not None:
            await self._release(due)

    async def _write(self, due: Ready, one: Dispatch, **changes: Any) -> None:
        await self._database.tell(_instead(due.key, replace(one, version=one.version + 1, **changes)))

    async def _release(self, due: Ready) -> None:
        """A cancelled appointment of which nothing is to be sent any more is due now."""
        async with self._database.write() as connection:
            row = (await connection.execute(ROW.with_for_update(), {"wanted": due.appointment.id})).one_or_none()
            left = select(dispatches.c.id).where(dispatches.c.appointment == due.appointment.id, IS_QUEUED)
            if row is None or (await connection.execute(left)).first() is not None:
                return
            one = let_go(open_appointment(due.key, row), self._now())
            values = seal_appointment(due.key, replace(one, version=one.version + 1))
            await connection.execute(update(appointments).where(appointments.c.id == one.id).values(values))
        self._sweep()

    # --- for what comes back -----------------------------------------------------------------------------------------

    async def came_back(self, dispatch: str, reason: str) -> str | None:
        """A mail server that took one says that it did not arrive: whose it is. None, and nothing is another, where it
        is not as sent any more: opened, refused, destroyed. Errors: DomainError.
        """
        rows = await self._database.ask(SENT, {"came_back": dispatch})
        for row in rows:
            one = _due((await self._keys.get_many([(row.owner, row.appointment)])).get(row.appointment), row)
            if one is None or self._deadline.past(one.appointment):
                continue
            after = replace(
                one.dispatch, state="refused", at=self._now(), reason=reason, version=one.dispatch.version + 1
            )
            there = (dispatches.c.id == dispatch, IS_SENT, dispatches.c.version == one.dispatch.version)
            values = dict(seal_dispatch(one.key, after))
            if await self._database.tell(update(dispatches).where(*there).values(values)) == 1:
                return one.appointment.owner
        return None

    # --- for the desk ------------------------------------------------------------------------------------------------

    async def of(self, planned: Collection[Appointment]) -> dict[str, list[Dispatch]]:
        """What became of what was written of appointments that whoever asks has, by their ids, the oldest first."""
        having = [one for one in planned if can_be_told(one)]
        if not having:
            return {}
        rows = await self._database.ask(OF_SOME, {"appointments": [one.id for one in having]})
        keys = await self._keys.get_many((one.owner, one.id) for one in having)
        found: dict[str, list[Dispatch]] = {}
        for row in rows:
            found.setdefault(row.appointment, []).extend(_opened(keys.get(row.appointment), [row]))
        return {one: sorted(those, key=_order) for one, those in found.items()}

    async def visited(self, one: Appointment, guest: str | None = None) -> None:
        """The patient's link was opened, or this guest's: by whom, nobody knows. So it came, whatever came back."""
        rows, keys = await self._database.ask(OF_ONE, {"appointment": one.id}), self._keys
        key = (await keys.get_many([(one.owner, one.id)])).get(one.id)
        if key is None:
            return
        theirs = [each for each in _opened(key, rows) if each.guest == guest]
        await self._database.tell(VISITED, {"visited": [each.id for each in theirs]})
        for each in [back for back in theirs if back.came_back]:
            after = replace(each, state="opened", at=self._now(), reason=None, version=each.version + 1)
            there = (dispatches.c.id == each.id, IS_REFUSED, dispatches.c.version == each.version)
            await self._database.tell(update(dispatches).where(*there).values(dict(seal_dispatch(key, after))))


def address_of(one: Appointment, way: Way) -> str | None:
    """Where its patient is told something by this way."""
    if one.contact is None:
        return None
    return one.contact.mail if way == "mail" else one.contact.phone


def _opened(key: bytes | None, rows: Sequence[Row[Any]]) -> list[Dispatch]:
    """Those that can be read, the oldest first."""
    found = []
    if key is None:
        return []
    for row in rows:
        try:
            found.append(open_dispatch(key, row))
        except Tampered:
            continue
    return sorted(found, key=_order)


def _order(one: Dispatch) -> tuple[datetime, bool, datetime, str]:
    """That of the causes; a reminder comes after what was written with it."""
    return one.written, one.is_reminder, one.again, one.id


def _due(key: bytes | None, row: Row[Any]) -> Ready | None:
    if key is None:
        return None
    try:
        one = open_dispatch(key, row)
        return Ready(one, as_told(open_appointment(key, _Planned(row)), one), key)
    except Tampered:
        return None


class _Planned:
    """The appointment's part of a row of both."""

    def __init__(self, row: Row[Any]) -> None:
        self.id, self.owner, self.content, self.version = row.appointment, row.owner, row.planned, row.of
        self.state = row.planned_state


def _same(one: Dispatch) -> Any:
    return and_(dispatches.c.id == one.id, IS_QUEUED)


def _instead(key: bytes, one: Dispatch) -> Any:
    """The row in its next version, if nobody else wrote it."""
    there = (_same(one), dispatches.c.version == one.version - 1)
    return update(dispatches).where(*there).values(dict(seal_dispatch(key, one)))


def _ended(key: bytes, one: Dispatch) -> Any:
    """One of which nobody knows whether it came."""
    values = dict(seal_dispatch(key, replace(one, state="void", version=one.version + 1)))
    return update(dispatches).where(_same(one)).values(values)
