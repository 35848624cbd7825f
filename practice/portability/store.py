"""Taking an archive back: all of it or nothing, as new records of whoever asks, told to nobody."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.model import Retention
from practice.accounts.people import People
from practice.accounts.records import practitioners
from practice.agenda.consenting import AsksOf
from practice.agenda.due_times import CapOf, DueTimes, under
from practice.agenda.records import APPOINTMENTS
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

    async def take(self, scope: Scope, taken: Taken) -> Imported:
        """All of it, on disk when this returns. Each appointment has new links, asks what the account that takes it
        asks, and is due by its setting; one that is past due is left out. Sentences, and what is planned often, where
        there are none.

        Errors: ``not_found`` (the scope, an account that ends), ``try_again`` while the disk is nearly full.
        """
        owner = scope.owner
        self._reserve.require()
        own, known = await self._people.key(owner)
        if not known:
            raise DomainError("not_found")
        ids = [new_id() for _ in range(len(taken.appointments) + len(taken.sentences) + 1)]
        keys, whole = await self._keys.take(owner, ids, self._now()), False
        try:
            async with self._database.write() as connection:
                retention, cap = await self._setting(connection, owner, own)
                asks = await self._asks_of(connection, owner)
                made = [planned(one, row, owner, asks) for one, row in zip(taken.appointments, ids, strict=False)]
                due = [self._due_times.with_due(under(one, cap), retention) for one in made]
                living = [one for one in due if not self._deadline.past(one)]
                await self._add(connection, APPOINTMENTS, living, keys)
                rest = ids[len(made) :]
                others: list[tuple[Kind[Any], list[Any]]] = [
                    (SENTENCES, [Sentence(rest.pop(), owner, *said, 1) for said in taken.sentences]),
                    (PRESETS, [Presets(rest.pop(), owner, taken.presets, 1)] if taken.presets else []),
                ]
                written = [one.id for one in living]
                for kind, records in others:
                    if not await self._has(connection, kind, owner):
                        await self._add(connection, kind, records, keys)
                        written += [one.id for one in records]
                whole = True
        except Exception:
            if not whole:  # else nobody can say whether it came, and the sweep finds out
                await self._keys.discard(ids)
            raise
        await self._keys.confirm(written)
        await self._keys.discard(sorted(set(ids) - set(written)))
        return Imported(len(living), len(due) - len(living))

    async def _setting(self, connection: AsyncConnection, owner: str, own: bytes) -> tuple[Retention, Retention | None]:
        """The account's own, and the longest that it may have. Errors: ``not_found``."""
        person = (await connection.execute(ACCOUNT, {"owner": owner})).one_or_none()
        if person is None or await is_closing(connection, owner):
            raise DomainError("not_found")
        return self._people.profile(own, person).retention, await self._cap_of(connection, owner)

    async def _has(self, connection: AsyncConnection, kind: Kind[Any], owner: str) -> bool:
        theirs = select(kind.table.c.id).where(kind.table.c.owner == owner, kind.is_living).limit(1)
        return (await connection.execute(theirs)).first() is not None

    async def _add(
        self, connection: AsyncConnection, kind: Kind[Any], records: Sequence[Any], keys: dict[str, bytes]
    ) -> None:
        for start in range(0, len(records), AT_ONCE):
            part = [kind.seal(keys[one.id], one) for one in records[start : start + AT_ONCE]]
            await connection.execute(insert(kind.table), part)
