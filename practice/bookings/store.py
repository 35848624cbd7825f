"""Booking by oneself: what a practitioner offers, and a time that somebody holds for ten minutes. And the open hour.

**Nothing of the diary is given away but times that are free**, and only to whoever has the address of the page.

**A time is held by one**: a hold is written while no other hold of that practitioner can be, looks at what is planned
once it stands, and gives way where that has the time. It becomes an appointment in the transaction in which it ends.
Whoever books types digits that were mailed: what opens links and presses buttons books nothing.
"""

import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from typing import Any, Final

from sqlalchemy import Select, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.model import Language
from practice.accounts.people import is_open
from practice.accounts.sole import SoleRecords
from practice.agenda.changes import MAX_NAME, MINUTES
from practice.agenda.model import Appointment, WalkIn
from practice.agenda.store import Appointments
from practice.bookings.hours import Busy, closes, times
from practice.bookings.model import Availability, Hold, OpenHour, Terms
from practice.bookings.records import AVAILABILITIES, HOLDS, availabilities, hashed, holds
from practice.mailboxes import mailbox
from practice.mailed_digits import digits
from practice.names import named
from vault.errors import DomainError, Gone, Unreadable
from vault.records.content import new_id
from vault.records.records import Kind, R
from vault.records.scope import Scope
from vault.records.stores import Means, RecordStore
from vault.records.writing import Along, always

LIFE: Final = timedelta(minutes=10)
TRIES: Final = 5
TOKEN_BYTES: Final = 16
LONGEST: Final = 100
FURTHEST: Final = 92
LONGEST_HOUR: Final = timedelta(hours=24)
MOST_ANCESTORS: Final = 5
MOST_EXCEPTIONS: Final = 100
PAUSES: Final = range(121)
NOTICES: Final = range(24 * 14 + 1)

AVAILABILITY_OF: Final = AVAILABILITIES.living().where(availabilities.c.token == bindparam("token"))
HOLD_OF: Final = HOLDS.living().where(holds.c.token == bindparam("token"))
HOLDS_OF: Final = HOLDS.living().where(holds.c.owner == bindparam("owner"))
ALL_HOLDS: Final = select(holds).where(HOLDS.is_living)

Tell = Callable[[str, str, Language, str], Along]
"""The mail about the account of an id, to an address, in a language, with digits that are made of a seed."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody books. ``network`` is where they come from, empty where nobody can say."""

    starts_at: datetime = field(repr=False)
    name: str = field(repr=False)
    mail: str = field(repr=False)
    language: Language
    network: str = field(repr=False)


class Bookings(RecordStore):
    """``store.bookings``. Errors of all: ``locked``, ``try_again``."""

    def __init__(self, means: Means, appointments: Appointments) -> None:
        super().__init__(means)
        self._availabilities = SoleRecords(means, AVAILABILITIES)
        self._appointments = appointments

    # --- what is offered ---------------------------------------------------------------------------------------------

    async def of(self, scope: Scope) -> Availability:
        """One's own; version 0 where there never was one. Errors: ``unreadable``."""
        owner = scope.owner
        return await self._availabilities.of(owner) or Availability("", owner)

    async def set_terms(self, scope: Scope, terms: Terms, seen: int) -> Availability:
        """These from now on, in place of those of the version that was ``seen``; the page keeps its address.

        Errors: ``invalid`` with the field, ``conflict``, ``not_found`` (also: the account is closing).
        """
        demand_terms(terms)
        return await self._put(await self.of(scope), seen, terms=terms)

    async def set_hour(self, scope: Scope, hour: OpenHour, seen: int) -> Availability:
        """The open hour is this from now on. Errors: as of ``set_terms``."""
        demand_hour(hour, self._now())
        return await self._put(await self.of(scope), seen, hour=hour)

    async def readdress(self, scope: Scope, seen: int) -> Availability:
        """The page has another address, and the old one leads nowhere. Errors: ``conflict``, ``not_found``."""
        before = await self.of(scope)
        if not before.version:
            raise DomainError("not_found")
        token = secrets.token_urlsafe(TOKEN_BYTES)
        return await self._availabilities.put(replace(before, token=token, version=seen + 1), before)

    async def at(self, token: str) -> Availability | None:
        """That which an address leads to; None where it leads nowhere, or nobody may book there now."""
        found = await self._found(AVAILABILITIES, AVAILABILITY_OF, token)
        return found if found and found.terms.open else None

    async def receiving(self, token: str, zone: tzinfo) -> tuple[Availability, datetime | None] | None:
        """That which an address leads to, and until when its open hour is, None while it is not; None in all where it
        leads nowhere or never was one.
        """
        found = await self._found(AVAILABILITIES, AVAILABILITY_OF, token)
        if found is None or found.hour == OpenHour():
            return None
        return found, closes(found.hour, zone, self._now())

    async def receive(
        self, availability: Availability, planning: Scope, zone: tzinfo, who: WalkIn, name: str, language: Language
    ) -> Appointment:
        """The appointment of who came to the open hour: it begins this minute.

        Errors: ``ended`` (it was closed meanwhile), ``invalid`` (``name``), ``not_found`` (the account is closing).
        """
        begin = self._now().astimezone(zone).replace(second=0, microsecond=0)
        refused: list[str] = []
        try:
            return await self._appointments.create(
                planning, name, begin, availability.hour.minutes, language,
                walk_in=who, within=partial(self._receives, availability, zone, refused),
            )  # fmt: skip
        except DomainError:
            if refused:
                raise DomainError(refused[-1]) from None
            raise

    async def times(self, availability: Availability, looking: Scope, zone: tzinfo) -> Sequence[datetime]:
        """When somebody may be booked, the next first. Errors: ``not_found`` (``looking`` is no sight of theirs)."""
        now, held = self._now(), await self._held(availability.owner)
        busy = [*await self._planned(availability, looking, zone), *((one.starts_at, one.ends_at) for one in held)]
        return list(times(availability.terms, zone, now, busy))

    # --- who holds a time --------------------------------------------------------------------------------------------

    async def hold(
        self, availability: Availability, looking: Scope, zone: tzinfo, wanted: Wanted, tell: Tell
    ) -> tuple[Hold, str]:
        """The time is theirs for ten minutes, and what the address of its page holds. What they held before is free.

        Errors: ``invalid`` with the field; ``conflict`` (the time is somebody else's), ``rate_limited`` (somebody else
        of the same network holds one), ``not_found`` (nobody may book any more).
        """
        planned = await self._planned(availability, looking, zone)  # who holds it is asked below: they may themselves
        if wanted.starts_at not in times(availability.terms, zone, self._now(), planned):
            raise DomainError("conflict")
        try:
            mail = mailbox(wanted.mail)
        except ValueError:
            raise DomainError("invalid", "mail") from None
        name = named(wanted.name, "name", MAX_NAME)
        network = self._keys.reset_mark("booking", wanted.network).hex() if wanted.network else ""
        token, seed = secrets.token_urlsafe(TOKEN_BYTES), secrets.token_urlsafe(TOKEN_BYTES)
        made = Hold(
            *(
                new_id(),
                availability.owner,
                hashed(token).hex(),
                wanted.starts_at,
                availability.terms.minutes,
                name,
                mail,
            ),
            *(wanted.language, network, seed, self._now() + LIFE),
        )
        refused: list[str] = []
        along = tell(availability.owner, mail, wanted.language, seed)
        if not await self._writer.first(HOLDS, made, partial(self._is_free, made, availability, refused), along):
            raise DomainError(refused[-1])
        if any(overlaps(made, since, until) for since, until in await self._planned(availability, looking, zone)):
            await self._mark(made)
            raise DomainError("conflict")
        return made, token

    async def held(self, token: str) -> Hold | None:
        """What the address of a hold's page leads to, until its time is over."""
        found = await self._found(HOLDS, HOLD_OF, token)
        return found if found and found.until > self._now() else None

    async def confirm(
        self, hold: Hold, availability: Availability, looking: Scope, planning: Scope, zone: tzinfo, typed: str
    ) -> Appointment:
        """The appointment, where these are the digits that were mailed: the patient is invited by mail.

        Errors: ``invalid`` (``code``; after ``TRIES`` of them the time is free), ``conflict`` (something was planned
        at that time, somebody else tries at the same moment, or it was confirmed already), ``not_found`` (the account
        is closing).
        """
        tried = replace(hold, tries=hold.tries + 1, version=hold.version + 1)
        if not await self._writer.instead(HOLDS, tried, always):  # counted before it is looked at: many at once are one
            raise DomainError("conflict")
        right = digits(self._keys.link_token(hold.seed))
        if not hmac.compare_digest("".join(typed.split()).encode(), right.encode()):
            if tried.tries >= TRIES:
                await self._mark(hold)
            raise DomainError("invalid", "code")
        if any(overlaps(hold, since, until) for since, until in await self._planned(availability, looking, zone)):
            await self._mark(hold)
            raise DomainError("conflict")
        made = await self._appointments.create(
            planning, hold.name, hold.starts_at, hold.minutes, hold.language,
            mail=hold.mail, within=partial(self._spent, hold),
        )  # fmt: skip
        self._sweep()
        return made

    async def bury(self) -> int:
        """Those whose time is over die; how many."""
        opened = await self._reader.open(HOLDS, await self._database.ask(ALL_HOLDS))
        over = [one.id for one in opened.living if one.until <= self._now()]
        over += [one.id for one in opened.damaged if not one.newer]
        count = await self._database.tell(HOLDS.marking().where(holds.c.id.in_(over), HOLDS.is_living)) if over else 0
        if count:
            self._sweep()
        return count

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _put(self, before: Availability, seen: int, **changed: Any) -> Availability:
        token = before.token or secrets.token_urlsafe(TOKEN_BYTES)
        after = replace(before, id=before.id or new_id(), token=token, version=seen + 1, **changed)
        return await self._availabilities.put(after, before)

    async def _planned(self, availability: Availability, looking: Scope, zone: tzinfo) -> list[Busy]:
        """What stands in the diary, as far as anybody may book."""
        if looking.looked_at != availability.owner:
            raise DomainError("not_found")
        today = self._now().astimezone(zone).date()
        until = today + timedelta(days=availability.terms.ahead + 1)
        first = today - timedelta(days=1)
        found, _ = await self._appointments.glimpses(looking, first, until, zone, walk_ins=False)
        begins = [(one.starts_at.astimezone(UTC), one.minutes) for one in found]
        return [(begin, begin + timedelta(minutes=minutes)) for begin, minutes in begins]

    async def _held(self, owner: str) -> list[Hold]:
        rows = await self._database.ask(HOLDS_OF, {"owner": owner})
        return [one for one in (await self._reader.open(HOLDS, rows)).living if one.until > self._now()]

    async def _is_free(
        self, made: Hold, availability: Availability, refused: list[str], connection: AsyncConnection
    ) -> bool:
        """Whether the time is nobody's; who had another one gives that up."""
        if not await is_open(connection, made.owner):  # from here on nobody else writes a hold of this account
            refused.append("not_found")
            return False
        same = (availabilities.c.id == availability.id, availabilities.c.version == availability.version)
        if (await connection.execute(AVAILABILITIES.living().where(*same))).first() is None:
            refused.append("conflict")
            return False
        rows = (await connection.execute(HOLDS_OF, {"owner": made.owner})).all()
        others = [one for one in (await self._reader.open(HOLDS, rows)).living if one.until > self._now()]
        theirs = [one for one in others if one.mail == made.mail]
        others = [one for one in others if one.mail != made.mail]
        if any(overlaps(made, one.starts_at, one.ends_at) for one in others):
            refused.append("conflict")
        elif made.network and any(one.network == made.network for one in others):
            refused.append("rate_limited")
        elif theirs:
            await connection.execute(HOLDS.marking().where(holds.c.id.in_([one.id for one in theirs])))
        return not refused

    async def _receives(
        self, availability: Availability, zone: tzinfo, refused: list[str], connection: AsyncConnection
    ) -> bool:
        """Whether the hour is open, at this address; who closes it waits until the transaction ends."""
        query = AVAILABILITIES.living().where(availabilities.c.id == availability.id)
        opened = await self._reader.open(AVAILABILITIES, (await connection.execute(query)).all())
        same = [one for one in opened.living if one.token == availability.token]
        if not any(closes(one.hour, zone, self._now()) for one in same):
            refused.append("ended")
        return not refused

    async def _spent(self, hold: Hold, connection: AsyncConnection) -> bool:
        """It ends, if it stands: of two that confirm it one does."""
        marking = HOLDS.marking().where(holds.c.id == hold.id, HOLDS.is_living)
        return (await connection.execute(marking)).rowcount == 1

    async def _found(self, kind: Kind[R], query: Select[Any], token: str) -> R | None:
        """That which the address of a page leads to."""
        if len(token) > LONGEST or not token.isascii():
            return None
        rows = await self._database.ask(query, {"token": hashed(token)})
        try:
            return (await self._reader.one(kind, rows[0]))[0] if rows else None
        except (Gone, Unreadable):
            return None

    async def _mark(self, hold: Hold) -> None:
        if await self._database.tell(HOLDS.marking().where(holds.c.id == hold.id, HOLDS.is_living)):
            self._sweep()


def overlaps(hold: Hold, since: datetime, until: datetime) -> bool:
    """Whether both are at one time."""
    return hold.starts_at < until and since < hold.ends_at


def demand_hour(hour: OpenHour, now: datetime) -> None:
    """Errors: ``invalid`` with the field."""
    if hour.minutes not in MINUTES:
        raise DomainError("invalid", "minutes")
    if len(hour.exceptions) > MOST_EXCEPTIONS:
        raise DomainError("invalid", "exceptions")
    if hour.until and not now < hour.until <= now + LONGEST_HOUR:
        raise DomainError("invalid", "until")


def demand_terms(terms: Terms) -> None:
    """Errors: ``invalid`` with the field."""
    bounds = {"minutes": MINUTES, "pause": PAUSES, "notice": NOTICES, "ahead": range(1, FURTHEST + 1)}
    for name, bound in bounds.items():
        if getattr(terms, name) not in bound:
            raise DomainError("invalid", name)
    if len(terms.exceptions) > MOST_EXCEPTIONS:
        raise DomainError("invalid", "exceptions")
    if len(terms.ancestors) > MOST_ANCESTORS:
        raise DomainError("invalid", "ancestors")
