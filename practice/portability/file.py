"""What somebody takes along, in pieces, put together while it is fetched: no copy of it is ever stored.

| in the archive | what |
|---|---|
| ``account.json`` | all of it: the account, its records by kind, receipts, what the trail says |
| ``<kind>.csv`` | the records of a kind, a line each |
| ``appointments.ics`` | appointments for a calendar (RFC 5545) |
| ``fhir.json`` | appointments, patients and guests as a FHIR R4 bundle |

Each file looks its records up anew, so one that is destroyed meanwhile is in none of the later ones.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from practice.accounts.model import Practitioner
from practice.agenda.model import Appointment, calendar_entry
from practice.agenda.records import APPOINTMENTS
from practice.calendars import ENDED, Busy, begun, entered
from practice.portability import fhir
from practice.portability.archive import Archive
from practice.portability.format import ACCOUNT, FORMAT, VERSION
from practice.portability.tables import head, rows
from vault.records.export import Exports
from vault.records.records import Kind
from vault.records.scope import Scope

Parts = AsyncIterator[bytes]
Told = Callable[[int], Awaitable[None]]


@dataclass(frozen=True)
class Pack:
    """``about`` is what stands in ``account.json`` beside the records; ``told`` hears how many records are done."""

    exports: Exports
    scope: Scope
    person: Practitioner
    about: Mapping[str, Any] = field(repr=False)
    now: datetime
    zone: tzinfo
    told: Told

    async def total(self) -> int:
        """How many records ``told`` counts up to, as far as one can say before."""
        counts = {kind.name: count for kind, count in await self._counted()}
        return 2 * sum(counts.values()) + 2 * counts[APPOINTMENTS.name]

    async def _counted(self) -> list[tuple[Kind[Any], int]]:
        return [(kind, await self.exports.number(self.scope, kind)) for kind in self.exports.kinds]

    async def pieces(self, password: str) -> Parts:
        """The archive, which breaks off where something cannot be looked up. Errors: DomainError, ValueError."""
        archive, at, done = Archive(password), self.now.astimezone(self.zone), 0
        for name, parts in self._files():
            yield archive.begin(name, at)
            async for count, part in parts:
                piece = await asyncio.to_thread(archive.add, part)
                done += count
                if count:
                    await self.told(done)
                if piece:
                    yield piece
            yield archive.end()
        yield archive.close()

    def _files(self) -> list[tuple[str, AsyncIterator[tuple[int, bytes]]]]:
        tables = [(f"{kind.name}.csv", self._table(kind)) for kind in self.exports.kinds]
        others = [("appointments.ics", self._calendar()), ("fhir.json", self._bundle())]
        return [(ACCOUNT, self._account()), *tables, *others]

    async def _account(self) -> AsyncIterator[tuple[int, bytes]]:
        first = {"format": FORMAT, "version": VERSION, "made_at": self.now.isoformat(), **self.about}
        yield 0, (_json(first)[:-1] + ', "records": {').encode()
        unreadable: dict[str, int] = {}
        for number, kind in enumerate(self.exports.kinds):
            yield 0, f"{',' if number else ''}\n{_json(kind.name)}: [".encode()
            before = ""
            async for found, damaged in self.exports.pages(self.scope, kind):
                if damaged:
                    unreadable[kind.name] = unreadable.get(kind.name, 0) + damaged
                lines = ",\n".join(_json(exported(kind, one)) for one in found)
                yield len(found), (before + lines if lines else "").encode()
                before = ",\n" if before or lines else ""
            yield 0, b"]"
        yield 0, f'}}, "unreadable": {_json(unreadable)}}}\n'.encode()

    async def _table(self, kind: Kind[Any]) -> AsyncIterator[tuple[int, bytes]]:
        columns: list[str] = []
        async for found, _ in self.exports.pages(self.scope, kind):
            records = [exported(kind, one) for one in found]
            if records and not columns:
                columns = list(records[0])
                yield 0, head(columns)
            yield len(found), rows(columns, records)

    async def _calendar(self) -> AsyncIterator[tuple[int, bytes]]:
        yield 0, await asyncio.to_thread(begun)
        async for found, _ in self.exports.pages(self.scope, APPOINTMENTS):
            yield len(found), b"".join(await asyncio.to_thread(self._entries, found))
        yield 0, ENDED

    def _entries(self, found: list[Appointment]) -> list[bytes]:
        return [entered(_busy(one), self.now) for one in found]

    async def _bundle(self) -> AsyncIterator[tuple[int, bytes]]:
        host = fhir.practitioner(self.person)
        begin = {"resourceType": "Bundle", "type": "collection", "timestamp": fhir.instant(self.now)}
        yield 0, f'{_json(begin)[:-1]}, "entry": [{_json(fhir.entry(host))}'.encode()
        async for found, _ in self.exports.pages(self.scope, APPOINTMENTS):
            made = [each for one in found for each in checked(fhir.of(one, host), host)]
            yield len(found), "".join(f",\n{_json(fhir.entry(each))}" for each in made).encode()
        yield 0, b"]}\n"


def exported(kind: Kind[Any], one: Any) -> Mapping[str, Any]:
    """A record as its owner takes it along. Errors: TypeError for a kind of which nothing is given out."""
    if kind.export is None:
        raise TypeError(kind.name)
    return kind.export(one)


def checked(made: list[fhir.Resource], host: fhir.Resource) -> list[fhir.Resource]:
    """The same. Errors: ValueError for what is not FHIR R4; it says what, and of whom nothing."""
    known = {f"urn:uuid:{each['id']}" for each in (*made, host)}
    for each in made:
        if found := next(fhir.wrong(each, known), None):
            raise ValueError(found.partition(" ")[0])
    return made


def _busy(one: Appointment) -> Busy:
    uid, sequence = calendar_entry(one)
    return Busy(uid, one.starts_at, one.minutes, one.patient, sequence=sequence, cancelled=one.cancelled_at is not None)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
