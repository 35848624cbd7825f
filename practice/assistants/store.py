"""Who works for whom: said by who looks after people, bounded by the practitioner, asked at all that is done.

**Appointments stay the practitioner's**: an engagement opens none, it makes a ``Scope`` in which storage does. It is
good for as long as both are what they were: each time both members are looked at, whatever became of its row.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, Final, get_args

from sqlalchemy import ColumnElement, bindparam
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.people import People, is_open
from practice.assistants.model import Engaged, Engagement
from practice.assistants.records import ENGAGEMENTS, assists, engagements
from practice.organisation.model import Member
from practice.organisation.records import HOUSE, MEMBERS, members
from practice.organisation.rights import Right, allowed, demand
from practice.organisation.standings import KEPT, MOMENT
from practice.organisation.store import Organisations
from vault.errors import DomainError
from vault.records.content import new_id
from vault.records.scope import Label, Scope
from vault.records.stores import Means, RecordStore
from vault.records.writing import always

OF: Final = ENGAGEMENTS.living().where(engagements.c.account == bindparam("account")).order_by(engagements.c.id)
FOR: Final = ENGAGEMENTS.living().where(engagements.c.owner == bindparam("owner")).order_by(engagements.c.id)
PAIR: Final = OF.where(engagements.c.owner == bindparam("owner"))
COLLEAGUES: Final = MEMBERS.living().where(
    members.c.owner == bindparam("organisation"), members.c.account.in_(bindparam("accounts", expanding=True))
)


class Assistants(RecordStore):
    """``store.assistants``. Errors of all: ``not_found`` (also without the right), ``locked``, ``try_again``."""

    def __init__(
        self, means: Means, people: People, organisation: Organisations, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(means)
        self._people = people
        self._organisation = organisation
        self._clock = clock
        self._recent: dict[str, tuple[float, Mapping[str, Engagement]]] = {}

    # --- for who looks after people ----------------------------------------------------------------------------------

    async def of(self, scope: Scope, account: str) -> list[Engaged]:
        """For whom a member works, by name."""
        demand(scope, Right.ASSISTANTS)
        await self._organisation.person(scope, account)
        return await self._named(await self._open(OF, account=account), lambda one: one.owner)

    async def engage(self, scope: Scope, account: str, practitioner: str) -> Engagement:
        """From now on this assistant works for that practitioner.

        Errors: ``invalid`` (``practitioner``: no active one of theirs, or the same person), ``bad_state`` (no active
        assistant), ``conflict`` (so it is already).
        """
        organisation = demand(scope, Right.ASSISTANTS)
        assistant = (await self._organisation.person(scope, account)).member
        found = await self._colleagues(organisation, [practitioner])
        if practitioner == account or practitioner not in found:
            raise DomainError("invalid", "practitioner")
        if not (assistant.active and assists(assistant)):
            raise DomainError("bad_state")
        made = Engagement(new_id(), practitioner, account, "whole", 1)

        async def still(connection: AsyncConnection) -> bool:
            await connection.execute(HOUSE, {"organisation": organisation})  # nobody's roles change until this ends
            for one in sorted((account, practitioner)):
                if not await is_open(connection, one):
                    return False
            rows = (
                await connection.execute(
                    COLLEAGUES, {"organisation": organisation, "accounts": [account, practitioner]}
                )
            ).all()
            now = {one.account: one for one in (await self._reader.open(MEMBERS, rows)).living}
            both = account in now and practitioner in now
            if not both or not (now[account].active and assists(now[account]) and _served(now[practitioner])):
                return False
            return (await connection.execute(PAIR, {"account": account, "owner": practitioner})).first() is None

        if not await self._writer.first(ENGAGEMENTS, made, still):
            raise DomainError("conflict")
        self._recent.clear()
        return made

    async def release(self, scope: Scope, account: str, engagement_id: str) -> Engagement:
        """This assistant works for that practitioner no more."""
        demand(scope, Right.ASSISTANTS)
        await self._organisation.person(scope, account)
        return await self._end(await self._one(engagement_id, account=account))

    # --- for the practitioner ----------------------------------------------------------------------------------------

    async def mine(self, scope: Scope) -> list[Engaged]:
        """Who works for whoever is signed in, by name."""
        demand(scope, Right.OWN_ASSISTANTS)
        return await self._named(await self._open(FOR, owner=scope.owner), lambda one: one.account)

    async def say(self, scope: Scope, engagement_id: str, label: Label, admits: bool, seen: int) -> Engagement:
        """How much of a patient's label one of them sees, and whether they let somebody in; ``seen`` is the version
        that whoever asks has before them.

        Errors: ``invalid``, ``conflict`` (it changed since).
        """
        demand(scope, Right.OWN_ASSISTANTS)
        if label not in get_args(Label):
            raise DomainError("invalid", "label")
        before = await self._one(engagement_id, owner=scope.owner)
        after = replace(before, label=label, admits=admits, version=before.version + 1)
        if seen != before.version or not await self._writer.instead(ENGAGEMENTS, after, always):
            raise DomainError("conflict")
        self._recent.clear()
        return after

    async def part(self, scope: Scope, engagement_id: str) -> Engagement:
        """One of them works for whoever is signed in no more."""
        demand(scope, Right.OWN_ASSISTANTS)
        return await self._end(await self._one(engagement_id, owner=scope.owner))

    # --- for the assistant -------------------------------------------------------------------------------------------

    async def served(self, scope: Scope) -> list[Engaged]:
        """For whom whoever is signed in works now, by name."""
        organisation = demand(scope, Right.ASSIST)
        return await self._named(await self._good(organisation, scope.owner), lambda one: one.owner)

    async def acting(self, scope: Scope, practitioner: str) -> Scope:
        """That of the practitioner's appointments, for who works for them now."""
        organisation = demand(scope, Right.ASSIST)
        for one in await self._good(organisation, scope.owner, practitioner):
            return scope.assisting(one.owner, one.label)
        raise DomainError("not_found")

    async def recent(self, account: str) -> Mapping[str, Engagement]:
        """For whom somebody works, as it was a moment ago; where nobody can say, as it was when somebody last could."""
        known = self._recent.get(account)
        if known is not None and self._clock() - known[0] < MOMENT:
            return known[1]
        try:
            found = await self._current(account)
        except DomainError as error:
            if known is None or error.code != "try_again":
                raise
            return known[1]
        if len(self._recent) >= KEPT:
            self._recent.clear()
        self._recent[account] = (self._clock(), found)
        return found

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _current(self, account: str) -> Mapping[str, Engagement]:
        standing = await self._organisation.standings.recent(account)
        if standing is None or standing.organisation is None or not allowed(Right.ASSIST, standing.roles):
            return {}
        return {one.owner: one for one in await self._good(standing.organisation, account)}

    async def _good(self, organisation: str, account: str, practitioner: str | None = None) -> list[Engagement]:
        """Those of an assistant whose practitioner is still one of the same organisation."""
        query = OF if practitioner is None else PAIR
        found = await self._open(query, account=account, **({} if practitioner is None else {"owner": practitioner}))
        there = await self._colleagues(organisation, [one.owner for one in found])
        return [one for one in found if one.owner in there]

    async def _colleagues(self, organisation: str, accounts: Collection[str]) -> set[str]:
        """Which of these are practitioners of the organisation for whom somebody can work."""
        if not accounts:
            return set()
        rows = await self._database.ask(COLLEAGUES, {"organisation": organisation, "accounts": list(accounts)})
        return {one.account for one in (await self._reader.open(MEMBERS, rows)).living if _served(one)}

    async def _open(self, query: Any, **bound: str) -> list[Engagement]:
        """What cannot be read lets nobody in."""
        return (await self._reader.open(ENGAGEMENTS, await self._database.ask(query, bound))).living

    async def _one(self, engagement_id: str, **whose: str) -> Engagement:
        """One of an assistant's or of a practitioner's. Errors: ``not_found``, ``unreadable``."""
        theirs = [getattr(engagements.c, name) == value for name, value in whose.items()]
        rows = await self._database.ask(ENGAGEMENTS.living().where(engagements.c.id == engagement_id, *theirs))
        if not rows:
            raise DomainError("not_found")
        return (await self._reader.one(ENGAGEMENTS, rows[0]))[0]

    async def _end(self, one: Engagement) -> Engagement:
        ours: list[ColumnElement[bool]] = [engagements.c.id == one.id, ENGAGEMENTS.is_living]
        if not await self._database.tell(ENGAGEMENTS.marking().where(*ours)):
            raise DomainError("not_found")
        self._recent.clear()
        self._sweep()
        return one

    async def _named(self, found: list[Engagement], other: Callable[[Engagement], str]) -> list[Engaged]:
        names = await self._people.names(self._database, [other(one) for one in found])
        named = [Engaged(one, names.get(other(one))) for one in found]
        return sorted(named, key=lambda one: ((one.name or "").casefold(), one.engagement.id))


def _served(member: Member) -> bool:
    return member.active and allowed(Right.AGENDA, member.roles)
