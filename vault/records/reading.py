"""Opening rows, when one of them may be damaged: the others are as they were, and it is said.

A row without a key is *gone* when there is a receipt of its destruction: another server was quicker, or a backup
brought it back. Without a receipt, or with a key that does not open it, it is *damaged*: somebody's record that nobody
can read now. One that opens and holds what only a newer program can read is *newer*: as whole as any other.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic

from sqlalchemy import Row

from vault.errors import Gone, Newer, Tampered, Unreadable
from vault.keys.store import KeyStore
from vault.records.records import Damaged, Kind, R

logger = logging.getLogger(__name__)

AT_ONCE = 100


@dataclass
class OpenedRows(Generic[R]):
    """Rows by what became of them; ``keys`` by id, of those that opened. ``damaged`` has the newer ones too."""

    living: list[R] = field(default_factory=list)
    keys: dict[str, bytes] = field(default_factory=dict)
    damaged: list[Damaged] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


class Reader:
    """One for all that open rows. ``damaged`` are the ids of records found so and not seen whole or gone since,
    ``owners`` those of owners, with what of them does not open; ``newer`` those of both that a newer program wrote.
    ``on_forget`` is told ids of which nothing is left to be read.
    """

    def __init__(self, keys: KeyStore, on_forget: Callable[[Iterable[str]], None]) -> None:
        self._keys = keys
        self._on_forget = on_forget
        self.damaged: set[str] = set()
        self.owners: dict[str, set[str]] = {}
        self.newer: set[str] = set()

    async def open(self, kind: Kind[R], rows: Sequence[Row[Any]]) -> OpenedRows[R]:
        """All that open, and what became of the others. A row that is being destroyed is opened as any other."""
        keys = await self._keys.get_many((row.owner, row.id) for row in rows)
        found: OpenedRows[R] = OpenedRows()
        for number, row in enumerate(rows, 1):
            key = keys.get(row.id)
            try:
                if key is None:
                    raise await self._without_key(row)
                found.living.append(self._whole(kind, key, row))
                found.keys[row.id] = key
            except Gone:
                self.forget(row.id)
                found.gone.append(row.id)
            except Tampered as fault:
                found.damaged.append(self._found_damaged(kind, row, newer=isinstance(fault, Newer)))
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)  # a full agenda must not hold up others
        return found

    async def one(self, kind: Kind[R], row: Any) -> tuple[R, bytes]:
        """One row and its key. Errors: ``gone``, ``unreadable``."""
        opened = await self.open(kind, [row])
        if opened.gone:
            raise Gone
        if opened.damaged:
            raise Newer if opened.damaged[0].newer else Unreadable
        return opened.living[0], opened.keys[row.id]

    def reopen(self, kind: Kind[R], key: bytes, row: Any) -> R:
        """A newer version of a row whose key is known. Errors: ``unreadable``."""
        try:
            return self._whole(kind, key, row)
        except Tampered as fault:
            self._found_damaged(kind, row, newer=isinstance(fault, Newer))
            raise

    def found_unreadable(self, owner: str, part: str) -> None:
        """A part of what an owner has sealed of themselves does not open. It is said once."""
        if owner not in self.owners:
            self.owners[owner] = set()
            logger.error("an account cannot be read; see docs/operations.md", extra={"count": len(self.owners)})
        self.owners[owner].add(part)

    def found_newer(self, row_id: str) -> None:
        """A row that a newer program wrote. It is said once."""
        self.damaged.discard(row_id)
        if row_id not in self.newer:
            self.newer.add(row_id)
            logger.warning("a newer version of the program wrote this", extra={"count": len(self.newer)})

    def found_whole(self, owner: str, part: str) -> None:
        """A part of what an owner has sealed of themselves opened."""
        if self.owners.get(owner) == {part}:
            del self.owners[owner]
        self.owners.get(owner, set()).discard(part)

    async def _without_key(self, row: Any) -> Gone | Unreadable:
        """What a row is that has no key."""
        return Unreadable() if await self._keys.receipt(row.owner, row.id) is None else Gone()

    def _found_damaged(self, kind: Kind[Any], row: Any, *, newer: bool) -> Damaged:
        """Remember it; it is said once."""
        if newer:
            self.found_newer(row.id)
        elif row.id not in self.damaged:
            self.damaged.add(row.id)
            said = {"kind": kind.name, "count": len(self.damaged)}
            logger.error("a record cannot be read; see docs/operations.md", extra=said)
        return Damaged(row.id, row.owner, row.state, newer)

    async def forget_gone(self, there: Callable[[Sequence[str]], Awaitable[set[str]]]) -> None:
        """What could not be read here may have been destroyed by another server: that is no alarm any more.

        ``there`` says which of some ids have a row.
        """
        noticed = sorted(self.damaged | self.newer | self.owners.keys())
        for start in range(0, len(noticed), AT_ONCE):
            part = noticed[start : start + AT_ONCE]
            self.forget(*set(part) - await there(part))

    def forget(self, *ids: str) -> None:
        """These are destroyed: nothing is left to be read."""
        self._on_forget(ids)
        self.damaged.difference_update(ids)
        self.newer.difference_update(ids)
        for one in ids:
            self.owners.pop(one, None)

    def _whole(self, kind: Kind[R], key: bytes, row: Any) -> R:
        record = kind.open(key, row)
        self.damaged.discard(record.id)
        self.newer.discard(record.id)
        return record
