"""Handing what a member has to come over to another one, as when somebody leaves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Update

from practice.agenda.records import APPOINTMENTS
from practice.organisation.model import Colleague, Member, Person
from practice.organisation.rights import Right, allowed, demand
from practice.organisation.store import Organisations
from vault.destruction.handing import Handing, Remaining
from vault.errors import DomainError
from vault.records.scope import Scope
from vault.records.writing import Along


@dataclass(frozen=True)
class Prospect:
    """What a person has to come, and who can take it over. Of the appointments there are numbers and no more."""

    person: Person
    remaining: Remaining
    takers: Sequence[Person] = field(repr=False)


class HandingOver:
    """``store.handing``. The vault has the steps, the agenda says which appointments, ``ends`` what else ends."""

    def __init__(self, organisations: Organisations, handing: Handing, ends: Callable[[str], Update]) -> None:
        self._organisations = organisations
        self._handing = handing
        self._ends = ends

    async def prospect(self, scope: Scope, account: str) -> Prospect:
        """Of one member. Errors: ``not_found`` (also without the right), ``unreadable``."""
        person = await self._giver(scope, account)
        people = (await self._organisations.roster(scope)).people
        takers = [one for one in people if one.account and one.member.account != account and _takes(one.member)]
        return Prospect(person, await self._handing.look(account), takers)

    async def hand_over(self, scope: Scope, account: str, to: str, along: Along | None = None) -> int:
        """All that this member has to come goes to another, but for what runs; how many went at once. Nobody works for
        the giver any more.

        ``along`` is written with what was asked for.

        What could not be done at once is done by the sweeps. Errors: ``not_found`` (also without the right),
        ``invalid`` (``to`` is nobody who can take them), ``conflict`` (asked before, and not done yet), ``unreadable``.
        """
        giver = (await self._giver(scope, account)).member
        if to == giver.account or not await self._can_take(scope, to):
            raise DomainError("invalid", "to")
        await self._handing.ask(giver.account, to, scope.owner, along, [self._ends(giver.account)])
        return await self._handing.carry_out()

    # --- one that waits, by whose it is or who works for them --------------------------------------------------------

    async def colleagues(self, scope: Scope) -> Sequence[Colleague]:
        """Who can take an appointment of this scope, by name. Errors: ``not_found`` (also without the right)."""
        giver, organisation = scope.owner_of(APPOINTMENTS.name), scope.organisation
        if scope.role != "assistant":
            organisation = demand(scope, Right.AGENDA)
        if organisation is None:
            raise DomainError("not_found")
        found = await self._organisations.colleagues(organisation, _takes)
        return [one for one in found if one.account != giver]

    async def hand_one(self, scope: Scope, appointment: str, to: str) -> bool:
        """This one goes to a colleague, for good; False where that is done in a moment, by who is at it.

        Errors: ``invalid`` (``to`` is nobody who can take it), ``conflict`` (something else of theirs is being handed
        over), ``bad_state`` (somebody was let in meanwhile, or it is over), ``not_found``.
        """
        giver, by = scope.owner_of(APPOINTMENTS.name), scope.actor
        if by is None or to not in {one.account for one in await self.colleagues(scope)}:
            raise DomainError("invalid", "to")
        await self._handing.ask(giver, to, by, only=[appointment])
        await self._handing.carry_out()
        done = await self._handing.became(APPOINTMENTS, appointment, to)
        if done is False:
            raise DomainError("bad_state")
        return bool(done)

    async def _giver(self, scope: Scope, account: str) -> Person:
        demand(scope, Right.HAND_OVER)
        person = await self._organisations.person(scope, account)
        if "owner" in person.member.roles and not allowed(Right.CHANGE_OWNERS, scope.roles):
            raise DomainError("not_found")
        return person

    async def _can_take(self, scope: Scope, account: str) -> bool:
        try:
            return _takes((await self._organisations.person(scope, account)).member)
        except DomainError as error:
            if error.code != "not_found":
                raise
            return False


def _takes(member: Member) -> bool:
    return member.active and allowed(Right.AGENDA, member.roles)
