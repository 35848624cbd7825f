"""Kinds of which an owner has one record: what is written stands in place of what was before, never beside it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic

from sqlalchemy import Row, Select
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.people import is_open
from vault.errors import DomainError, Newer, Unreadable
from vault.records.records import Kind, R
from vault.records.stores import Means, RecordStore
from vault.records.writing import Along

Lives = Callable[[AsyncConnection, str], Awaitable[bool]]
"""Whether an owner is neither closed nor closing, which stays so until the transaction ends."""


class SoleRecords(RecordStore, Generic[R]):
    """Those of one kind, of owners that ``lives`` knows. Errors of all: ``unreadable``, ``locked``, ``try_again``."""

    def __init__(self, means: Means, kind: Kind[R], lives: Lives = is_open) -> None:
        super().__init__(means)
        self._kind = kind
        self._lives = lives

    async def of(self, owner: str) -> R | None:
        """What there is; a row that was destroyed and came back is none."""
        return await self._opened(await self._database.ask(self._rows(owner)))

    async def put(self, record: R, before: R, along: Along | None = None) -> R:
        """This, on disk when it returns, in place of what was there ``before``, or of nothing (version 0).

        ``along`` writes more with it.

        Errors: ``conflict`` (it is not the next version, or somebody wrote another meanwhile), ``not_found`` (the
        owner is closed or closing).
        """
        self._reserve.require()
        if record.version != before.version + 1:
            raise DomainError("conflict")
        found: list[bool] = []

        async def allowed(connection: AsyncConnection) -> bool:
            found.append(await self._lives(connection, record.owner))
            if not found[-1] or record.version > 1:
                return found[-1]
            return await self._opened((await connection.execute(self._rows(record.owner))).all()) is None

        write = self._writer.first if record.version == 1 else self._writer.instead
        if await write(self._kind, record, allowed, along):
            return record
        raise DomainError("not_found" if found and not found[-1] else "conflict")

    def _rows(self, owner: str) -> Select[Any]:
        return self._kind.living().where(self._kind.table.c.owner == owner)

    async def _opened(self, rows: Sequence[Row[Any]]) -> R | None:
        opened = await self._reader.open(self._kind, rows)
        if opened.damaged:
            raise Newer if opened.damaged[0].newer else Unreadable
        return opened.living[0] if opened.living else None
