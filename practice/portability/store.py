"""Taking an archive back: all of it or nothing, as new records of whoever asks, told to nobody."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.model import Retention
from practice.accounts.people import People
from practice.accounts.records import practitioners
from practice.agenda.consenting import AsksOf
from practice.agenda.due_times import CapOf, DueTimes, under
from practice.agenda.model import Purpose
from practice.agenda.records import APPOINTMENTS
from practice.portability.reading import ArchiveReader
from practice.portability.taken import Taken, planned
from practice.presets.model import Presets
from practice.presets.records import PRESETS
from practice.sentences.model import Sentence
from practice.sentences.records import SENTENCES
from vault.database.marks import is_closing
from vault.destruction.deadline import Deadline
from vault.errors import DomainError
from vault.records.content import new_id
from vault.records.records import Kind
from vault.records.scope import Scope
from vault.records.stores import Means, RecordStore

ACCOUNT: Final = select(practitioners).where(practitioners.c.id == bindparam("owner")).with_for_update(read=True)
AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Imported:
    """How many appointments there are more, and how many of the archive were past due by the account's setting."""

    appointments: int
    past: int


@dataclass(frozen=True, slots=True)
class Setting:
    """What holds for all that an account plans: its own retention, the longest that it may have, what it asks."""

    retention: Retention
    cap: Retention | None
    asks: tuple[Purpose, ...]


class Imports(RecordStore):
    """``store.imports``."""

    def __init__(
        self, means: Means, people: People, due_times: DueTimes, deadline: Deadline, cap_of: CapOf, asks_of: AsksOf
    ) -> None:
        super().__init__(means)
        self._people = people
        self._due_times = due_times
        self._deadline = deadline
        self._cap_of = cap_of
        self._asks_of = asks_of
        self.reading = ArchiveReader()

    async def take(self, scope: Scope, taken: Taken) -> Imported:
        """All of it, on disk when this returns. Each appointment has new links, asks what the account that takes it
        asks, and is due by its setting; one that is past due is left out. Sentences, and what is planned often, where
        there are none.

        Errors: ``not_found`` (the scope, an account that ends), ``try_again`` while the disk is nearly full, or where a
        setting changed meanwhile.
        """
        owner = scope.owner
        self._reserve.require()
        own, known = await self._people.key(owner)
        if not known:
            raise DomainError("not_found")
        ids = [new_id() for _ in range(len(taken.appointments) + len(taken.sentences) + 1)]
        keys, whole = await self._keys.take(owner, ids, self._now()), False
        try:
            async with self._database.read() as connection:
                setting = await self._setting(connection, owner, own)
            # sealed before anything is locked, and in a thread: nobody else waits for the longest part
            sealed = await asyncio.to_thread(self._sealed, owner, taken, ids, keys, setting)
            async with self._database.write() as connection:
                await self._demand_same(connection, owner, own, setting)
                written = []
                for kind, rows in sealed.items():
                    if kind is APPOINTMENTS or not await self._has(connection, kind, owner):
                        for start in range(0, len(rows), AT_ONCE):
                            await connection.execute(insert(kind.table), rows[start : start + AT_ONCE])
                        written += [row["id"] for row in rows]
                whole = True
        except Exception:
            if not whole:  # else nobody can say whether it came, and the sweep finds out
                await self._keys.discard(ids)
            raise
        await self._keys.confirm(written)
        await self._keys.discard(sorted(set(ids) - set(written)))
        living = len(sealed[APPOINTMENTS])
        return Imported(living, len(taken.appointments) - living)

    def _sealed(
        self, owner: str, taken: Taken, ids: Sequence[str], keys: Mapping[str, bytes], setting: Setting
    ) -> dict[Kind[Any], list[dict[str, Any]]]:
        """The rows of all that is not past due."""
        made = [planned(one, row, owner, setting.asks) for one, row in zip(taken.appointments, ids, strict=False)]
        due = (self._due_times.with_due(under(one, setting.cap), setting.retention) for one in made)
        rest = list(ids[len(made) :])
        records: dict[Kind[Any], Iterable[Any]] = {
            APPOINTMENTS: (one for one in due if not self._deadline.past(one)),
            SENTENCES: [Sentence(rest.pop(), owner, *said, 1) for said in taken.sentences],
            PRESETS: [Presets(rest.pop(), owner, taken.presets, 1)] if taken.presets else [],
        }
        return {kind: [kind.seal(keys[one.id], one) for one in each] for kind, each in records.items()}

    async def _setting(self, connection: AsyncConnection, owner: str, own: bytes) -> Setting:
        """Errors: ``not_found``."""
        person = (await connection.execute(ACCOUNT, {"owner": owner})).one_or_none()
        if person is None or await is_closing(connection, owner):
            raise DomainError("not_found")
        asks, cap = await self._asks_of(connection, owner), await self._cap_of(connection, owner)
        return Setting(self._people.profile(own, person).retention, cap, asks)

    async def _demand_same(self, connection: AsyncConnection, owner: str, own: bytes, setting: Setting) -> None:
        """Errors: ``try_again`` where it is another now."""
        if await self._setting(connection, owner, own) != setting:
            raise DomainError("try_again")

    async def _has(self, connection: AsyncConnection, kind: Kind[Any], owner: str) -> bool:
        theirs = select(kind.table.c.id).where(kind.table.c.owner == owner, kind.is_living).limit(1)
        return (await connection.execute(theirs)).first() is not None
