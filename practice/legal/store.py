"""What a law demands of somebody's appointments, done by two operators: given out, or kept a while longer (S-36).

**Only what exists**: of what was destroyed there is a receipt and nothing else, and what is preserved is what is not
destroyed yet. **On disk before it is given**: what was done stands in a record that the practitioner reads, with mail
to them in the same transaction; where a law forbids telling them, that has a date and a reason, and they are told then.
**Nobody reads by it**: an export is a file for two people at a command line; no page, right or scope opens by it.

A preservation stands inside the appointment, under its key: ``vault.destruction.preservation`` puts off destroying by
it. It goes along where the appointment is handed over, ends by itself, and two people are asked again for a longer one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from typing import Any, Final

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.people import LOCKED, NAMED, People
from practice.agenda.model import Appointment, Preservation
from practice.agenda.records import APPOINTMENTS, appointments, export_appointment, seal_appointment
from practice.agenda.turning import ID
from practice.legal.model import LONGEST, MOST, SILENCE, Demand, Disclosure, Given, Operator
from practice.legal.records import DISCLOSURES, disclosures
from practice.names import named
from practice.notices.model import News
from practice.notices.store import Notices
from practice.organisation.founding import founded
from practice.organisation.records import members
from vault.destruction.deadline import Deadline
from vault.destruction.preservation import is_preserved
from vault.errors import DomainError, Unreadable
from vault.keys.receipt import Receipt
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.stores import Means, RecordStore
from vault.records.writing import Along, always

MANY: Final = 1000
OF_ACCOUNT: Final = DISCLOSURES.living().where(disclosures.c.account == bindparam("account"))
SILENT: Final = DISCLOSURES.living().order_by(disclosures.c.id)
THEIRS: Final = APPOINTMENTS.living().where(appointments.c.owner == bindparam("owner")).order_by(appointments.c.id)
HOUSE: Final = select(members.c.owner).where(members.c.account == bindparam("account"))


@dataclass(frozen=True)
class Demanded:
    """Which appointments: of these ids, or that begin on these days of ``zone``, both included."""

    ids: tuple[str, ...] = ()
    first: date | None = None
    last: date | None = None
    zone: tzinfo | None = None

    def has(self, one: Appointment) -> bool:
        """Whether this one is wanted."""
        if self.ids:
            return one.id in self.ids
        day = one.starts_at.astimezone(self.zone).date()
        return (self.first or date.min) <= day <= (self.last or date.max)


class Disclosures(RecordStore):
    """``store.disclosures``. Errors of all: ``locked``, ``try_again``."""

    def __init__(self, means: Means, people: People, deadline: Deadline, notices: Notices) -> None:
        super().__init__(means)
        self._people = people
        self._deadline = deadline
        self._notices = notices

    # --- for two operators -------------------------------------------------------------------------------------------

    async def export(self, scope: Scope, wanted: Demanded, demand: Demand, two: Sequence[Operator]) -> Given:
        """What there is of what is wanted, as its practitioner would take it along: no secrets of links.

        Errors: ``not_found`` (another scope than a command's; no such account), ``invalid`` (``authority``, ``reason``,
        ``told``, ``silence``, ``appointment``), ``forbidden`` (not two operators).
        """
        person = self._of(scope, demand, two)
        wanted = replace(wanted, ids=_ids(wanted.ids))
        rows = await self._database.ask(THEIRS, {"owner": person})
        opened = await self._reader.open(APPOINTMENTS, rows)
        found = {one.id: one for one in opened.living if wanted.has(one)}
        lost = [one.id for one in opened.damaged if not wanted.ids or one.id in wanted.ids]
        receipts = await self._receipts(person, [one for one in wanted.ids if one not in found and one not in lost])
        made = self._made(await self._house(person), person, demand, two, len(found))
        if not await self._writer.first(DISCLOSURES, made, always, await self._told(made)):
            raise DomainError("try_again")
        return Given(
            made,
            {one.id: export_appointment(one) for one in found.values()},
            receipts,
            lost,
            [one for one in wanted.ids if one not in found and one not in lost and one not in receipts],
        )

    async def preserve(
        self, scope: Scope, ids: Sequence[str], until: datetime, demand: Demand, two: Sequence[Operator]
    ) -> Disclosure:
        """None of these is destroyed before ``until``, also where it was said of them before; all of them or none.

        Errors: as of ``export``, also ``invalid`` (``until``: past, or more than ``LONGEST`` from now), ``gone`` (one
        is destroyed or was due: there is nothing to be kept), ``unreadable``.
        """
        person, now = self._of(scope, demand, two), self._now()
        if not (ids := _ids(ids)):
            raise DomainError("invalid", "appointment")
        if not now < until <= now + LONGEST:
            raise DomainError("invalid", "until")
        made = replace(
            self._made(await self._house(person), person, demand, two, len(ids)), what="preservation", until=until
        )
        wrong: list[DomainError] = []

        async def kept(connection: AsyncConnection) -> bool:
            await connection.execute(LOCKED, {"owner": person})  # first, as whoever destroys all of theirs does
            query = THEIRS.where(appointments.c.id.in_(ids)).with_for_update()
            rows = (await connection.execute(query, {"owner": person})).all()
            try:
                await self._keep(connection, person, ids, rows, Preservation(until, demand.told))
            except DomainError as error:
                wrong.append(error)
                return False
            return True

        if not await self._writer.first(DISCLOSURES, made, kept, await self._told(made)):
            raise wrong[0] if wrong else DomainError("try_again")
        return made

    # --- for the practitioner ----------------------------------------------------------------------------------------

    async def of(self, scope: Scope) -> list[Disclosure]:
        """What was done of one's own and may be known, newest first."""
        scope.demand("practitioner")
        opened = await self._reader.open(DISCLOSURES, await self._database.ask(OF_ACCOUNT, {"account": scope.owner}))
        now = self._now()
        found = [one for one in opened.living if one.demand.told is None or one.demand.told <= now]
        return sorted(found, key=lambda one: (one.at, one.id), reverse=True)

    # --- for the server ----------------------------------------------------------------------------------------------

    async def tell(self) -> list[Disclosure]:
        """Whoever may be told from now on is, by mail, each once: of what."""
        now, told = self._now(), []
        for one in (await self._reader.open(DISCLOSURES, await self._database.ask(SILENT))).living:
            if one.known or one.demand.told is None or one.demand.told > now:
                continue
            after = replace(one, known=True, version=one.version + 1)
            if await self._writer.instead(DISCLOSURES, after, always, await self._mail(one.account)):
                told.append(after)
        return told

    async def bury(self) -> int:
        """Those that are old die; how many."""
        over = disclosures.c.until <= int(self._now().timestamp())
        count = await self._database.tell(DISCLOSURES.marking().where(over, DISCLOSURES.is_living))
        if count:
            self._sweep()
        return count

    # --- inside ------------------------------------------------------------------------------------------------------

    def _of(self, scope: Scope, demand: Demand, two: Sequence[Operator]) -> str:
        """Whose it is about, where all of it is right."""
        scope.demand("operator")
        if len({one.id for one in two}) < 2:
            raise DomainError("forbidden")
        named(demand.authority, "authority", MOST)
        named(demand.reason, "reason", MOST)
        if demand.told is not None:
            if not self._now() < demand.told <= self._now() + SILENCE:
                raise DomainError("invalid", "told")
            named(demand.silence, "silence", MOST)
        return scope.owner

    async def _house(self, person: str) -> str:
        """Whose record it is: of an account that closes, whose membership has ended, that of the server's own."""
        async with self._database.read() as connection:
            house: str | None = (await connection.execute(HOUSE, {"account": person})).scalar()
            if house is None and (await connection.execute(NAMED, {"accounts": [person]})).first() is not None:
                house = await founded(connection)
        if house is None:
            raise DomainError("not_found")
        return house

    def _made(self, house: str, person: str, demand: Demand, two: Sequence[Operator], number: int) -> Disclosure:
        names, at_once = tuple(one.name for one in two), demand.told is None
        return Disclosure(new_id(), house, person, "export", demand, names, self._now(), number, known=at_once)

    async def _told(self, made: Disclosure) -> Along | None:
        return await self._mail(made.account) if made.known else None

    async def _mail(self, person: str) -> Along | None:
        """Mail to the practitioner; None where nobody can read where to, or there is no account any more."""
        rows = await self._database.ask(NAMED, {"accounts": [person]})
        try:
            key, known = await self._people.key(person)
            found = self._people.profile(key, rows[0]) if rows and known else None
        except Unreadable:
            return None
        return self._notices.of(person, News("legal", found.mail, found.language)) if found else None

    async def _receipts(self, person: str, ids: Sequence[str]) -> dict[str, Receipt]:
        found = {one: await self._keys.receipt(person, one) for one in ids}
        return {one: receipt for one, receipt in found.items() if receipt is not None}

    async def _keep(
        self,
        connection: AsyncConnection,
        person: str,
        ids: Sequence[str],
        rows: Sequence[Row[Any]],
        preserved: Preservation,
    ) -> None:
        """Errors: ``not_found``, ``gone``, ``unreadable``."""
        opened, now = await self._reader.open(APPOINTMENTS, rows), self._now()
        missing = [one for one in ids if one not in {row.id for row in rows}]
        if missing:
            marked = select(appointments.c.id).where(appointments.c.owner == person, appointments.c.id.in_(missing))
            going = {row.id for row in await connection.execute(marked)}
            destroyed = await self._receipts(person, [one for one in missing if one not in going])
            raise DomainError("gone" if len(going) + len(destroyed) == len(missing) else "not_found")
        if opened.gone:
            raise DomainError("gone")
        if opened.damaged:
            raise Unreadable
        for one in opened.living:
            if self._deadline.past(one) and not is_preserved(one, now):
                raise DomainError("gone")
            after = replace(one, preserved=preserved, version=one.version + 1)
            values = seal_appointment(opened.keys[one.id], after)
            await connection.execute(update(appointments).where(appointments.c.id == one.id).values(values))


def _ids(ids: Sequence[str]) -> tuple[str, ...]:
    """Each once. Errors: ``invalid``."""
    if len(ids) > MANY or not all(ID.fullmatch(one) for one in ids):
        raise DomainError("invalid", "appointment")
    return tuple(dict.fromkeys(ids))
