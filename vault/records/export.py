"""What somebody has of every kind, to be counted, seen and taken along (S-41, S-46)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select, true

from vault.database.database import Database
from vault.records.reading import Reader
from vault.records.records import Damaged, Kind, Kinds
from vault.records.scope import Scope


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

    def __init__(self, database: Database, kinds: Kinds, reader: Reader) -> None:
        self._database = database
        self._kinds = kinds
        self._reader = reader

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

    def kind(self, name: str) -> Kind[Any] | None:
        """The one of this name of which anything may be taken along."""
        return next((kind for kind in self._kinds if kind.name == name and kind.export is not None), None)
