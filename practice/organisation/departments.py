"""Departments: parts of an organisation, made, renamed and closed by who looks after all of it.

**What is closed leaves nobody anywhere**: its members stay members, with an id that opens nothing any more; whoever
looked after them there does so no longer, and links that they sent are dead.
"""

from dataclasses import replace
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from practice.names import named
from practice.organisation.model import Department
from practice.organisation.reach import THEIRS, Reaches, looks_after_all
from practice.organisation.records import DEPARTMENTS, departments, takes_members
from practice.organisation.rights import Right, demand
from vault.errors import DomainError
from vault.records.content import new_id
from vault.records.reading import Reader
from vault.records.scope import Scope
from vault.records.stores import Means, RecordStore

MAX_NAME: Final = 100


class Departments(RecordStore):
    """``store.departments``. Errors of all: ``not_found`` (also without the right), ``locked``, ``try_again``."""

    def __init__(self, means: Means) -> None:
        super().__init__(means)
        self._reaches = Reaches(means.database, means.reader)

    async def of(self, scope: Scope) -> list[Department]:
        """Those that somebody looks after, by name; for who sees everybody all."""
        organisation = demand(scope, Right.PEOPLE)
        everybody = looks_after_all(scope.roles, Right.PEOPLE)
        mine = frozenset() if everybody else (await self._reaches.of(scope)).mine
        return [one for one in await self._all(organisation) if everybody or one.id in mine]

    async def make(self, scope: Scope, name: str) -> Department:
        """A new one. Errors: ``invalid`` (``name``), ``conflict`` (there is one of this name), ``closing`` (the
        organisation ends).
        """
        organisation = demand(scope, Right.DEPARTMENTS)
        made = Department(new_id(), organisation, named(name, "name", MAX_NAME), 1)
        naming = Naming(self._reader, made)
        if not await self._writer.first(DEPARTMENTS, made, naming.may):
            raise DomainError("closing" if naming.closing else "conflict")
        return made

    async def rename(self, scope: Scope, department: str, name: str, seen: int) -> Department:
        """Another name; ``seen`` is the version that whoever asks has before them.

        Errors: ``invalid`` (``name``), ``conflict`` (there is one of this name, or somebody else changed it since),
        ``closing`` (the organisation ends).
        """
        before = await self._one(demand(scope, Right.DEPARTMENTS), department)
        after = replace(before, name=named(name, "name", MAX_NAME), version=before.version + 1)
        naming = Naming(self._reader, after)
        if seen != before.version or not await self._writer.instead(DEPARTMENTS, after, naming.may):
            raise DomainError("closing" if naming.closing else "conflict")
        return after

    async def close(self, scope: Scope, department: str) -> Department:
        """It is no more, and nobody is in it."""
        one = await self._one(demand(scope, Right.DEPARTMENTS), department)
        marked = DEPARTMENTS.marking().where(departments.c.id == one.id, DEPARTMENTS.is_living)
        if not await self._database.tell(marked):
            raise DomainError("not_found")
        self._sweep()
        return one

    async def _one(self, organisation: str, department: str) -> Department:
        for one in await self._all(organisation):
            if one.id == department:
                return one
        raise DomainError("not_found")

    async def _all(self, organisation: str) -> list[Department]:
        """By name; what cannot be read is nowhere."""
        opened = await self._reader.open(DEPARTMENTS, await self._database.ask(THEIRS, {"organisation": organisation}))
        return sorted(opened.living, key=lambda one: (one.name.casefold(), one.id))


class Naming:
    """A department that gets its name; ``closing`` once the organisation was found to end, inside a transaction."""

    def __init__(self, reader: Reader, one: Department) -> None:
        self._reader = reader
        self._one = one
        self.closing = False

    async def may(self, connection: AsyncConnection) -> bool:
        """Whether no other has this name, asked while nobody else makes or renames one."""
        one = self._one
        self.closing = not await takes_members(connection, one.owner)
        if self.closing:
            return False
        rows = (await connection.execute(THEIRS, {"organisation": one.owner})).all()
        others = (await self._reader.open(DEPARTMENTS, rows)).living
        return all(other.id == one.id or other.name.casefold() != one.name.casefold() for other in others)
