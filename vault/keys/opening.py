"""Opening data keys, each with one statement: what is wrapped, and under which epoch, is of one moment."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from vault.errors import Tampered
from vault.keys.connection import Connection
from vault.keys.envelope import unseal
from vault.keys.epochs import NUMBER, Epochs
from vault.keys.places import NOBODY, data_place
from vault.keys.tree import HUNG, Hung
from vault.keys.tree import opened as opened_practitioner

logger = logging.getLogger(__name__)

FEW = 200
"""So many of one owner are asked for by their ids, more by that owner."""

JOINED = f"FROM data_keys d JOIN practitioner_keys p ON p.id = d.owner {HUNG}"
ONE = f"""
SELECT d.id, d.owner, d.wrapped, p.wrapped, g.id, g.wrapped, o.wrapped, {NUMBER}
{JOINED} LEFT JOIN data_keys o ON o.id = d.owner AND o.owner = d.owner
WHERE d.id = ? AND d.owner = ? OR d.id = ? ORDER BY d.id = ? LIMIT 1
"""
MANY = f"SELECT d.id, d.owner, d.wrapped, p.wrapped, g.id, g.wrapped, NULL, {NUMBER} {JOINED}"


class Wrapped(NamedTuple):
    """A data key, its practitioner's key and group, and that one's own data key where it was asked for."""

    id: str
    owner: str
    key: bytes
    owner_key: bytes
    group: str | None
    group_key: bytes | None
    own: bytes | None
    epoch: bytes


class Both(NamedTuple):
    """A data key, and that of the practitioner's own row: None where it is not there or does not open."""

    key: bytes
    own: bytes | None
    known: bool


class Opening:
    """Used by one thread."""

    def __init__(self, connection: Connection, epochs: Epochs) -> None:
        self._db = connection
        self._epochs = epochs

    def one(self, owner: str, row_id: str) -> Both:
        """The key of an id or, with the same work, that of nobody. Tampered where it does not open."""
        row = self._one(owner, row_id)
        return Both(opened(self._owner_key(row), row), None, row.id != NOBODY)

    def both(self, owner: str, row_id: str) -> Both:
        """The same, and the practitioner's own."""
        row = self._one(owner, row_id)
        owner_key, own = self._owner_key(row), None
        with suppress(Tampered):
            own = unseal(owner_key, row.own or b"", data_place(row.owner, row.owner))
        return Both(opened(owner_key, row), own, row.id != NOBODY)

    def many(self, pairs: set[tuple[str, str]]) -> dict[str, bytes]:
        """By id, of (owner, id). Those that are not there or do not open are left out."""
        found: dict[str, bytes] = {}
        owner_keys: dict[str, bytes] = {}
        for row in self._many(pairs):
            if (row.owner, row.id) not in pairs:
                continue
            try:
                if row.owner not in owner_keys:
                    owner_keys[row.owner] = self._owner_key(row)
                found[row.id] = opened(owner_keys[row.owner], row)
            except Tampered:
                logger.exception("a wrapped key does not open")
        return found

    def _one(self, owner: str, row_id: str) -> Wrapped:
        (row,) = self._epochs.rows(ONE, (row_id, owner, NOBODY, NOBODY))
        return Wrapped(*row)

    def _many(self, pairs: set[tuple[str, str]]) -> Iterator[Wrapped]:
        """Those that are there, and perhaps others of the same owners."""
        by_owner: dict[str, list[str]] = {}
        for owner, row_id in pairs:
            by_owner.setdefault(owner, []).append(row_id)
        few = [row_id for ids in by_owner.values() if len(ids) <= FEW for row_id in ids]
        for first in range(0, len(few), FEW):
            part = few[first : first + FEW]
            yield from self._rows(f"{MANY} WHERE d.id IN ({', '.join('?' * len(part))})", part)
        for owner in (owner for owner, ids in by_owner.items() if len(ids) > FEW):
            yield from self._rows(f"{MANY} WHERE d.owner = ?", [owner])

    def _rows(self, query: str, parameters: list[str]) -> Iterator[Wrapped]:
        return (Wrapped(*row) for row in self._epochs.rows(query, parameters))

    def _owner_key(self, row: Wrapped) -> bytes:
        hung = Hung(row.owner, row.owner_key, row.group, row.group_key)
        return opened_practitioner(self._epochs.current(int(row.epoch)), hung)


def opened(owner_key: bytes, row: Wrapped) -> bytes:
    """The data key of a row."""
    return unseal(owner_key, row.key, data_place(row.id, row.owner))
