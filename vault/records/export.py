"""What somebody has of every kind, to be counted, seen and taken along (S-41, S-46)."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import func, select, true

from vault.database.database import Database
from vault.records.reading import Reader
from vault.records.records import Damaged, Kind, Kinds, R
from vault.records.scope import Scope

AT_ONCE: Final = 100
"""Records that are open at the same time: of more, the key store reads all keys of their owner (``FEW`` there)."""

Over = Callable[[Sequence[Any]], Awaitable[Sequence[Any]]]
"""Which of some timed records are past due."""


@dataclass(frozen=True)
class Held:
    """All of one owner's of a kind: as they may be taken along, and how many cannot be read now."""

    kind: Kind[Any]
    by_id: Mapping[str, Mapping[str, Any]] = field(repr=False)
    damaged: list[Damaged]
    more: int = 0
    """How many were not asked for."""

    @property
    def records(self) -> list[Mapping[str, Any]]:
        """Those that can be read."""
        return list(self.by_id.values())

    @property
    def unreadable(self) -> int:
        """How many cannot."""
        return len(self.damaged)


class Exports:
    """``store.exports``. What is being destroyed is there no more."""

    def __init__(self, database: Database, kinds: Kinds, reader: Reader, over: Over) -> None:
        self._database = database
        self._kinds = kinds
        self._reader = reader
        self._over = over

    async def numbers(self, scope: Scope) -> list[tuple[Kind[Any], int]]:
        """How many there are of each kind that are not given out: theirs, or somebody else's and about them.

        Errors: ``not_found`` (the scope).
        """
        owner, found = scope.owner, []
        async with self._database.read() as connection:
            for kind in self._kinds:
                others = kind.table.c.owner != owner if kind.export is not None else true()
                theirs = (kind.is_living, kind.ending_with(owner), others)
                query = select(func.count()).select_from(kind.table).where(*theirs)
                number = (await connection.execute(query)).scalar_one()
                if number:
                    found.append((kind, int(number)))
        return found

    async def all_of(self, scope: Scope, most: int | None = None) -> list[Held]:
        """All that may be taken along, by kind, or ``most`` of each. Errors: ``not_found`` (the scope)."""
        owner, found = scope.owner, []
        for kind in self._kinds:
            if kind.export is not None:
                rows = await self._database.ask(kind.living().where(kind.table.c.owner == owner))
                opened = await self._reader.open(kind, rows[:most])
                given = {one.id: kind.export(one) for one in opened.living}
                found.append(Held(kind, given, opened.damaged, len(rows) - len(rows[:most])))
        return found

    @property
    def kinds(self) -> list[Kind[Any]]:
        """Those of which anything may be taken along."""
        return [kind for kind in self._kinds if kind.export is not None]

    async def number(self, scope: Scope, kind: Kind[Any]) -> int:
        """How many there are of a kind. Errors: ``not_found`` (the scope)."""
        theirs = (kind.table.c.owner == scope.owner, kind.is_living)
        async with self._database.read() as connection:
            query = select(func.count()).select_from(kind.table).where(*theirs)
            return int((await connection.execute(query)).scalar_one())

    async def pages(self, scope: Scope, kind: Kind[R]) -> AsyncIterator[tuple[list[R], int]]:
        """All of a kind, some at a time, each looked up when it is asked for: what is destroyed meanwhile, or past due,
        is in none that comes after. With each, how many could not be read. Only ids are held in between.

        Errors: ``not_found`` (the scope).
        """
        table, owner = kind.table, scope.owner
        theirs = (table.c.owner == owner, kind.is_living)
        ids = [row.id for row in await self._database.ask(select(table.c.id).where(*theirs).order_by(table.c.id))]
        for start in range(0, len(ids), AT_ONCE):
            # By their ids alone: asked for the owner too, SQLite goes through all of theirs each time.
            wanted = kind.living().where(table.c.id.in_(ids[start : start + AT_ONCE]))
            opened = await self._reader.open(kind, await self._database.ask(wanted))
            over = {one.id for one in await self._over(opened.living)} if kind.timed else set()
            yield [one for one in opened.living if one.id not in over], len(opened.damaged)

    def kind(self, name: str) -> Kind[Any] | None:
        """The one of this name of which anything may be taken along."""
        return next((kind for kind in self._kinds if kind.name == name and kind.export is not None), None)
