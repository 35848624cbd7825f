"""Whether everything in the key store is as it must be, found out without changing anything."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from vault.errors import Tampered
from vault.keys import schema
from vault.keys.connection import Connection
from vault.keys.envelope import Place, unseal
from vault.keys.epochs import Epochs
from vault.keys.ledger import Ledger, moment
from vault.keys.places import NOBODY, SERVICES, data_place, group_place, service_place
from vault.keys.tree import Tree, opened

SLACK = timedelta(minutes=5)


@dataclass(frozen=True)
class Inspection:
    """``practitioners`` and ``data_keys`` are those that open. ``findings`` are sentences for the operator.

    ``waiting``: practitioners whose key the next epoch replaces. ``flat``: there is no tree yet.
    """

    epoch: int
    generation: int
    practitioners: int
    data_keys: int
    findings: tuple[str, ...]
    waiting: int
    flat: bool


class Inspector:
    """Reads inside one snapshot of the key store."""

    def __init__(self, connection: Connection, epochs: Epochs, ledger: Ledger) -> None:
        self._db = connection
        self._epochs = epochs
        self._ledger = ledger
        self._people: dict[str, bytes] = {}
        self._opened = 0

    def inspect(self, now: datetime) -> Inspection:
        """All of it."""
        findings = [
            *self._services(),
            *self._groups(),
            *self._practitioners(),
            *self._data_keys(),
            *self._receipts(now),
        ]
        practitioners = len(self._people.keys() - {NOBODY})
        (waiting,) = self._db.execute("SELECT count(*) FROM practitioner_keys WHERE stale = 1").fetchone()
        flat = schema.version(self._db) == schema.FLAT
        epoch, generation = self._epochs.number(), self._ledger.generation()
        return Inspection(epoch, generation, practitioners, self._opened, tuple(findings), int(waiting), flat)

    def _services(self) -> Iterator[str]:
        wrapped = dict(self._db.execute("SELECT name, wrapped FROM service_keys").fetchall())
        for name in SERVICES:
            if name not in wrapped:
                yield f"The server's own key `{name}` is missing."
            elif self._open(self._epochs.current(), wrapped[name], service_place(name)) is None:
                yield f"The server's own key `{name}` does not open under the epoch key."

    def _groups(self) -> Iterator[str]:
        closed = 0
        for group, wrapped in self._db.execute("SELECT id, wrapped FROM group_keys").fetchall():
            closed += self._open(self._epochs.current(), wrapped, group_place(group)) is None
        if closed:
            yield f"Keys of groups that do not open under the epoch key: {closed}."

    def _practitioners(self) -> Iterator[str]:
        epoch, closed, loose = self._epochs.current(), 0, 0
        flat = schema.version(self._db) == schema.FLAT
        for hung in Tree(self._db).everybody():
            loose += hung.group is None and not flat
            try:
                self._people[hung.id] = opened(epoch, hung)
            except Tampered:
                closed += 1
        if closed:
            yield f"Keys of practitioners that do not open under the epoch key: {closed}."
        if loose:
            yield f"Keys of practitioners that are in no group: {loose}."
        if NOBODY not in self._people:
            yield "The key that stands for unknown people is missing."

    def _data_keys(self) -> Iterator[str]:
        closed = again = 0
        for row_id, owner, wrapped in self._db.execute("SELECT id, owner, wrapped FROM data_keys").fetchall():
            key = self._people.get(owner)
            if key is None or self._open(key, wrapped, data_place(row_id, owner)) is None:
                closed += 1
            elif row_id != NOBODY:
                self._opened += 1
            again += self._ledger.find(owner, row_id) is not None
        if closed:
            yield f"Data keys that do not open under their practitioner's key: {closed}."
        if again:
            yield f"Data keys that are there although the ledger says that they were destroyed: {again}."

    def _receipts(self, now: datetime) -> Iterator[str]:
        query = "SELECT count(*), coalesce(min(generation), 1), coalesce(max(destroyed_at), 0) FROM ledger"
        count, first, newest = self._db.execute(query).fetchone()
        if (count, first) != (self._ledger.generation(), 1):
            yield "The ledger of destructions has a gap."
        if moment(newest) > now + SLACK:
            yield "The ledger of destructions holds a receipt from the future."

    def _open(self, key: bytes, wrapped: bytes, place: Place) -> bytes | None:
        try:
            return unseal(key, wrapped, place)
        except Tampered:
            return None
