"""Opening rows, when one of them may be damaged: the others are as they were, and it is said.

A row without a key is *gone* when there is a receipt of its destruction: another server was quicker, or a backup
brought it back. Without a receipt, or with a key that does not open it, it is *damaged*: somebody's record that nobody
can read now. One that opens and holds what only a newer program can read is *newer*: as whole as any other.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic

from sqlalchemy import Row

from rooms.errors import Gone, Newer, Tampered, Unreadable
from rooms.keys.store import KeyStore
from rooms.model import Damaged, Practitioner
from rooms.store.records import Kind, R
from rooms.store.sealed import open_password, open_profile
from rooms.store.starts import Starts

logger = logging.getLogger(__name__)

AT_ONCE = 100


@dataclass
class Opened(Generic[R]):
    """Rows by what became of them; ``keys`` by id, of those that opened. ``damaged`` has the newer ones too."""

    living: list[R] = field(default_factory=list)
    keys: dict[str, bytes] = field(default_factory=dict)
    damaged: list[Damaged] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


class Reader:
    """One for all that open rows. ``damaged`` are the ids of records found so and not seen whole or gone since,
    ``people`` those of accounts, with what of them does not open; ``newer`` those of both that a newer program wrote;
    ``starts`` when appointments begin that a list found.
    """

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys
        self.starts = Starts()
        self.damaged: set[str] = set()
        self.people: dict[str, set[str]] = {}
        self.newer: set[str] = set()

    async def open(self, kind: Kind[R], rows: Sequence[Row[Any]]) -> Opened[R]:
        """All that open, and what became of the others. A row that is being destroyed is opened as any other."""
        keys = await self._keys.get_many((row.owner, row.id) for row in rows)
        found: Opened[R] = Opened()
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

    async def person_key(self, practitioner_id: str) -> tuple[bytes, bool]:
        """As ``KeyStore.get`` of somebody's own key. Errors: ``unreadable``."""
        try:
            found = await self._keys.get(practitioner_id, practitioner_id)
        except Tampered:
            self._found_person(practitioner_id, "key")
            raise Unreadable from None
        self._seen_whole(practitioner_id, "key")
        return found

    def profile(self, key: bytes, row: Any) -> Practitioner:
        """Who stands in a row. Errors: ``unreadable``."""
        try:
            person = open_profile(key, row)
        except Newer:
            self._found_newer(row.id)
            raise
        except Unreadable:
            self._found_person(row.id, "profile")
            raise
        self._seen_whole(row.id, "profile")
        return person

    def password(self, key: bytes, row: Any) -> str:
        """The argon2id hash in a row. Errors: ``unreadable``."""
        try:
            digest = open_password(key, row.id, row.password)
        except Unreadable:
            self._found_person(row.id, "password")
            raise
        self._seen_whole(row.id, "password")
        return digest

    def _found_person(self, practitioner_id: str, part: str) -> None:
        """Remember it; it is said once."""
        if practitioner_id not in self.people:
            self.people[practitioner_id] = set()
            logger.error("an account cannot be read; see docs/operations.md", extra={"count": len(self.people)})
        self.people[practitioner_id].add(part)

    def _found_newer(self, row_id: str) -> None:
        """Remember it; it is said once."""
        self.damaged.discard(row_id)
        if row_id not in self.newer:
            self.newer.add(row_id)
            logger.warning("a newer version of the program wrote this", extra={"count": len(self.newer)})

    async def _without_key(self, row: Any) -> Gone | Unreadable:
        """What a row is that has no key."""
        return Unreadable() if await self._keys.receipt(row.owner, row.id) is None else Gone()

    def _seen_whole(self, practitioner_id: str, part: str) -> None:
        if part == "profile":
            self.newer.discard(practitioner_id)
        if self.people.get(practitioner_id) == {part}:
            del self.people[practitioner_id]
        self.people.get(practitioner_id, set()).discard(part)

    def _found_damaged(self, kind: Kind[Any], row: Any, *, newer: bool) -> Damaged:
        """Remember it; it is said once."""
        if newer:
            self._found_newer(row.id)
        elif row.id not in self.damaged:
            self.damaged.add(row.id)
            said = {"kind": kind.name, "count": len(self.damaged)}
            logger.error("a record cannot be read; see docs/operations.md", extra=said)
        return Damaged(row.id, row.owner, row.state, newer)

    async def forget_gone(self, there: Callable[[Sequence[str]], Awaitable[set[str]]]) -> None:
        """What could not be read here may have been destroyed by another server: that is no alarm any more.

        ``there`` says which of some ids have a row.
        """
        noticed = sorted(self.damaged | self.newer | self.people.keys())
        for start in range(0, len(noticed), AT_ONCE):
            part = noticed[start : start + AT_ONCE]
            self.forget(*set(part) - await there(part))

    def forget(self, *ids: str) -> None:
        """These are destroyed: nothing is left to be read."""
        self.starts.forget(ids)
        self.damaged.difference_update(ids)
        self.newer.difference_update(ids)
        for one in ids:
            self.people.pop(one, None)

    def _whole(self, kind: Kind[R], key: bytes, row: Any) -> R:
        record = kind.open(key, row)
        self.damaged.discard(record.id)
        self.newer.discard(record.id)
        return record
