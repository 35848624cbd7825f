"""Sight of one practitioner's agenda, by two people: one asks, with a reason, another one gives it, for an hour.

**By right, not by key**: appointments stay under their practitioner's key, and whoever looks gets a ``Scope`` that
covers times and labels and nothing else. **By two**: asker, approver and practitioner are three people, and it is over
with the right of either of the first two. **Never in secret**: mail to the practitioner is written in the transaction
that gives it, and what was done is kept for the practitioner to read. It holds up no destruction: what is due is shown
to nobody.

A kind of record (``vault.records.records``) of the organisation's, about an account: it dies with either, or by age.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta, tzinfo
from functools import partial
from typing import Any, Final, get_args

from sqlalchemy import Row, bindparam
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.model import Practitioner
from practice.accounts.people import People, is_open
from practice.agenda.store import Appointments
from practice.organisation.records import takes_members
from practice.organisation.rights import Right, allowed, demand
from practice.organisation.store import Organisations
from practice.sights.model import Look, NamedSight, Sight, SightReason
from practice.sights.records import SIGHTS, sights
from vault.errors import DomainError, Unreadable
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.stores import Means, RecordStore
from vault.records.writing import Along, always

TRIES: Final = 5
AHEAD: Final = timedelta(days=28)
"""What is looked at is today's and that of the four weeks to come: what is over is nobody's to move."""

THEIRS: Final = SIGHTS.living().where(sights.c.owner == bindparam("organisation")).order_by(sights.c.id)
OF_ACCOUNT: Final = THEIRS.where(sights.c.account == bindparam("account"))
ROW: Final = THEIRS.where(sights.c.id == bindparam("wanted"))


class Sights(RecordStore):
    """``store.sights``. Errors of all: ``locked``, ``try_again``."""

    def __init__(self, means: Means, people: People, organisations: Organisations, appointments: Appointments) -> None:
        super().__init__(means)
        self._people = people
        self._organisations = organisations
        self._appointments = appointments

    # --- for who looks after an organisation -------------------------------------------------------------------------

    async def ask(self, scope: Scope, account: str, reason: SightReason, along: Along | None = None) -> Sight:
        """Ask for sight of a member's agenda. Nobody may do anything by it before somebody else gives it; ``along``
        writes mail to who could.

        Errors: ``not_found`` (also without the right, and of one's own), ``invalid`` (the reason), ``conflict`` (there
        is one that waits or is open).
        """
        organisation = demand(scope, Right.SIGHT)
        if reason not in get_args(SightReason):
            raise DomainError("invalid", "reason")
        if account == scope.owner:
            raise DomainError("not_found")
        await self._organisations.person(scope, account)
        made = Sight(new_id(), organisation, account, scope.owner, reason, self._now())
        if not await self._writer.first(SIGHTS, made, partial(self._is_first, made), along):
            raise DomainError("conflict")
        return made

    async def givers(self, scope: Scope, account: str) -> list[Practitioner]:
        """Who could give this person sight of that agenda. Errors: ``not_found`` (also without the right)."""
        demand(scope, Right.SIGHT)
        await self._organisations.person(scope, account)
        return [
            one.account
            for one in (await self._organisations.roster(scope)).people
            if one.account is not None and one.member.active and allowed(Right.SIGHT, one.member.roles)
            if one.account.id not in (scope.owner, account)
        ]

    async def approve(self, scope: Scope, sight_id: str, along: Along) -> Sight:
        """Give what somebody else asked for, from now on; ``along`` writes the practitioner's mail with it.

        Errors: ``not_found`` (also without the right, for who asked, and for the practitioner), ``conflict`` (it waits
        no longer, or whoever asked may not any more).
        """
        demand(scope, Right.SIGHT)
        for _ in range(TRIES):
            before = await self._one(scope, sight_id)
            if scope.owner in (before.asker, before.account):
                raise DomainError("not_found")
            if before.phase(self._now()) != "waiting" or not await self._may(before, before.asker):
                raise DomainError("conflict")
            after = replace(before, approver=scope.owner, given=self._now(), version=before.version + 1)
            if await self._writer.instead(SIGHTS, after, partial(_has_account, account=before.account), along):
                return after
        raise DomainError("try_again")

    async def look(self, scope: Scope, sight_id: str, zone: tzinfo) -> Look:
        """What is planned from today on, by the days of ``zone``: for who asked, while it is open. It is kept that and
        when this was done.

        Errors: ``not_found`` (also without the right, and for all others).
        """
        demand(scope, Right.SIGHT)
        for _ in range(TRIES):
            before, now = await self._one(scope, sight_id), self._now()
            theirs = scope.owner == before.asker and before.phase(now) == "open"
            if not theirs or not await self._may(before, before.approver):
                raise DomainError("not_found")
            minute = now.replace(second=0, microsecond=0)
            looks = before.looks if minute in before.looks else (*before.looks, minute)
            after = replace(before, looks=looks, version=before.version + 1)
            if await self._writer.instead(SIGHTS, after, partial(_has_account, account=before.account)):
                today = now.astimezone(zone).date()
                looking = scope.looking(before.account)
                glimpses, unreadable = await self._appointments.glimpses(looking, today, today + AHEAD, zone)
                return Look(after, glimpses, unreadable)
        raise DomainError("try_again")

    async def waiting(self, scope: Scope) -> list[NamedSight]:
        """What this person could give, by the age of its asking. Errors: ``not_found`` (without the right)."""
        rows = await self._database.ask(THEIRS, {"organisation": demand(scope, Right.SIGHT)})
        found = [one for one in await self._named(rows) if one.phase == "waiting"]
        return [one for one in reversed(found) if scope.owner not in (one.sight.asker, one.sight.account)]

    async def lapse(self, scope: Scope, account: str) -> int:
        """A member's roles or state are others: what they asked for or gave is over, where they may not any more; how
        many are. Errors: ``not_found`` (without the right).
        """
        rows = await self._database.ask(THEIRS, {"organisation": demand(scope, Right.CHANGE_PEOPLE)})
        over = 0
        for one in (await self._reader.open(SIGHTS, rows)).living:
            theirs = account in (one.asker, one.approver) and one.phase(self._now()) in ("waiting", "open")
            if theirs and not await self._may(one, account):
                after = replace(one, ended=self._now(), version=one.version + 1)
                over += await self._writer.instead(SIGHTS, after, always)
        return over

    # --- for the practitioner too ------------------------------------------------------------------------------------

    async def of(self, scope: Scope, account: str) -> list[NamedSight]:
        """All of one agenda, newest first: one's own, or with the right. Errors: ``not_found``."""
        organisation = scope.organisation if scope.owner == account else demand(scope, Right.SIGHT)
        scope.demand("practitioner")
        return await self._named(await self._rows(organisation, account))

    async def end(self, scope: Scope, sight_id: str) -> Sight:
        """It is over. One that waits is refused, or taken back, by anybody with the right but the practitioner, who may
        not prevent it; one that is open is ended by any of the three.

        Errors: ``not_found`` (also for all others), ``conflict`` (it is over).
        """
        for _ in range(TRIES):
            before = await self._one(scope, sight_id)
            phase, three = before.phase(self._now()), (before.account, before.asker, before.approver)
            right = allowed(Right.SIGHT, scope.roles)
            may = scope.owner in three if before.given else right and scope.owner != before.account
            if not may:
                raise DomainError("not_found")
            if phase not in ("waiting", "open"):
                raise DomainError("conflict")
            after = replace(before, ended=self._now(), ender=scope.owner, version=before.version + 1)
            if await self._writer.instead(SIGHTS, after, always):
                return after
        raise DomainError("try_again")

    async def unseen(self, scope: Scope) -> int:
        """How often somebody was given sight of this person's agenda, of which they have not said to know."""
        scope.demand("practitioner")
        opened = await self._reader.open(SIGHTS, await self._rows(scope.organisation, scope.owner))
        return sum(_is_news(one) for one in opened.living)

    async def see(self, scope: Scope) -> int:
        """The practitioner says to know of all that were given: how many are new."""
        scope.demand("practitioner")
        opened = await self._reader.open(SIGHTS, await self._rows(scope.organisation, scope.owner))
        news = [replace(one, seen=True, version=one.version + 1) for one in opened.living if _is_news(one)]
        return sum([await self._writer.instead(SIGHTS, one, always) for one in news])

    async def bury(self) -> int:
        """Those that are too old die; how many."""
        late = sights.c.until <= int(self._now().timestamp())
        count = await self._database.tell(SIGHTS.marking().where(late, SIGHTS.is_living))
        if count:
            self._sweep()
        return count

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _is_first(self, made: Sight, connection: AsyncConnection) -> bool:
        """Whether neither ends, and nobody else has one of this agenda that waits or is open."""
        if not await takes_members(connection, made.owner) or not await is_open(connection, made.account):
            return False
        bound = {"organisation": made.owner, "account": made.account}
        rows: Sequence[Row[Any]] = (await connection.execute(OF_ACCOUNT, bound)).all()
        others = (await self._reader.open(SIGHTS, rows)).living
        return all(one.phase(made.asked) not in ("waiting", "open") for one in others)

    async def _rows(self, organisation: str | None, account: str) -> Sequence[Row[Any]]:
        return await self._database.ask(OF_ACCOUNT, {"organisation": organisation, "account": account})

    async def _one(self, scope: Scope, sight_id: str) -> Sight:
        scope.demand("practitioner")
        rows = await self._database.ask(ROW, {"organisation": scope.organisation, "wanted": sight_id})
        if not rows:
            raise DomainError("not_found")
        return (await self._reader.one(SIGHTS, rows[0]))[0]

    async def _may(self, one: Sight, account: str | None) -> bool:
        """Whether somebody may still ask for this, and give it; of whom nobody can say so may not."""
        try:
            standing = await self._organisations.standing(account) if account else None
        except Unreadable:
            return False
        return standing is not None and standing.organisation == one.owner and allowed(Right.SIGHT, standing.roles)

    async def _named(self, rows: Sequence[Row[Any]]) -> list[NamedSight]:
        opened = (await self._reader.open(SIGHTS, rows)).living
        accounts = {who for one in opened for who in (one.account, one.asker, one.approver, one.ender) if who}
        names = await self._people.names(self._database, accounts)
        newest = sorted(opened, key=lambda one: (one.asked, one.id), reverse=True)
        return [NamedSight(one, one.phase(self._now()), names) for one in newest]


def _is_news(one: Sight) -> bool:
    return one.given is not None and not one.seen


async def _has_account(connection: AsyncConnection, account: str) -> bool:
    """Whether there is an agenda to be looked at; the account does not begin to close until the transaction ends."""
    return await is_open(connection, account)
