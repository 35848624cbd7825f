"""The audit trail as those see it who look after an organisation: with the names of its people and of nobody else.

The trail itself has pseudonyms (``vault.audit``). Whose they are is asked of the members that there are: what it says
of somebody whose account is closed, of a patient or of an appointment stays a reference, and of what was destroyed
nobody can say any more which it was. Where a server has other organisations too, only entries are seen that one of the
own people made or that are about one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import select

from practice.organisation.model import Roster
from practice.organisation.records import organisations
from practice.organisation.rights import Right, demand
from practice.organisation.store import Organisations
from vault.audit import Act, Entry, Party, TrailReport, practitioner
from vault.audit.search import Search
from vault.audit.trail import Trail
from vault.database.database import Database
from vault.errors import DomainError
from vault.records.scope import Scope

PAGE: Final = 50
MOST: Final = 50_000
"""Entries in one export: some 15 MB."""

TWO = select(organisations.c.id).limit(2)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What is looked for: what one member did or what was done to it, one act, ``first <= moment < last``."""

    account: str | None = None
    act: Act | None = None
    first: datetime | None = None
    last: datetime | None = None


@dataclass(frozen=True, slots=True)
class TrailLine:
    """An entry, and by which of the members it is and about which: their accounts, None for whoever is none."""

    entry: Entry
    by: str | None
    on: str | None


@dataclass(frozen=True, slots=True)
class Seen:
    """Lines, newest first. ``older`` is the number below which there are more."""

    lines: Sequence[TrailLine]
    older: int | None
    roster: Roster = field(repr=False)


@dataclass(frozen=True, slots=True)
class Extract:
    """Lines, oldest first, and what a walk over the whole trail found just before they were read."""

    lines: Sequence[TrailLine]
    report: TrailReport
    roster: Roster = field(repr=False)


class Oversight:
    """``store.oversight``. Whoever calls this enters that it was done. Errors: ``not_found`` (without the right)."""

    def __init__(self, database: Database, trail: Trail, organisation: Organisations) -> None:
        self._database = database
        self._trail = trail
        self._organisation = organisation

    async def look(self, scope: Scope, asked: Inquiry, before: int | None = None) -> Seen:
        """A page of what is asked for, below the number ``before``. Errors: ``not_found`` (also: no such member)."""
        roster, accounts = await self._people(scope)
        search = await self._search(asked, accounts)
        found = await self._trail.newest(search, PAGE + 1, before)
        lines = [line(entry, accounts) for entry in found[:PAGE]]
        return Seen(lines, found[PAGE - 1].number if len(found) > PAGE else None, roster)

    async def export(self, scope: Scope, asked: Inquiry) -> Extract:
        """All that is asked for. Errors: ``too_large``: ask for fewer days; ``not_found`` (also: no such member)."""
        roster, accounts = await self._people(scope)
        search = await self._search(asked, accounts)
        report = await self._trail.verify()
        lines: list[TrailLine] = []
        async for entry in self._trail.found(search):
            if len(lines) == MOST:
                raise DomainError("too_large")
            lines.append(line(entry, accounts))
        return Extract(lines, report, roster)

    async def verify(self, scope: Scope) -> TrailReport:
        """Walk the whole trail, of everybody: whether it is as it was written."""
        demand(scope, Right.OVERSIGHT)
        return await self._trail.verify()

    async def verified(self, scope: Scope) -> Entry | None:
        """When somebody last did, with what came of it; None where the trail knows of no time."""
        return await self._last(scope, Act.AUDIT_VERIFIED)

    async def backed_up(self, scope: Scope) -> Entry | None:
        """When the last backup was made; None where the trail knows of none."""
        return await self._last(scope, Act.BACKUP_MADE)

    async def of_oneself(self, scope: Scope, most: int = MOST) -> list[TrailLine]:
        """What who is signed in did, and what was done to their account, newest first: at most so much (S-41)."""
        scope.demand("practitioner")
        owner = scope.owner
        name = await self._trail.name(practitioner(owner))
        found = await self._trail.newest(Search(names=[name] if name else []), most)
        return [line(entry, {name: owner} if name else {}) for entry in found]

    async def _last(self, scope: Scope, act: Act) -> Entry | None:
        demand(scope, Right.OVERSIGHT)
        return next(iter(await self._trail.newest(Search(act=act), 1)), None)

    async def _people(self, scope: Scope) -> tuple[Roster, Mapping[str, str]]:
        """The members, and by what the trail calls them, whose account that is."""
        demand(scope, Right.OVERSIGHT)
        roster = await self._organisation.roster(scope)
        parties: list[Party] = [practitioner(person.member.account) for person in roster.people]
        return roster, {name: party.id for party, name in (await self._trail.names(parties)).items()}

    async def _search(self, asked: Inquiry, accounts: Mapping[str, str]) -> Search:
        if asked.account is not None:
            names = [name for name, account in accounts.items() if account == asked.account]
            if not names:
                raise DomainError("not_found")
            return Search(asked.first, asked.last, asked.act, names)
        alone = len(await self._database.ask(TWO)) < 2
        return Search(asked.first, asked.last, asked.act, None if alone else tuple(accounts))


def line(entry: Entry, accounts: Mapping[str, str]) -> TrailLine:
    """With whose it is, of the members."""
    by, on = (accounts.get(name) if name else None for name in (entry.actor_name, entry.subject_name))
    return TrailLine(entry, by, on)
