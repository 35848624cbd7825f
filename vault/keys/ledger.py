"""The ledger of destructions: append only, in the key store, without a word about what it was."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime

from vault.keys.connection import Connection
from vault.keys.envelope import fingerprint
from vault.keys.many import among
from vault.keys.receipt import Receipt

NEWEST = """
SELECT max(destroyed_at) FROM (SELECT destroyed_at FROM ledger ORDER BY generation DESC LIMIT 1000) AS last
"""


class Ledger:
    """Receipts. A receipt is HMAC(id); only who knows the id can find it. Generations count from 1 without gaps."""

    def __init__(self, connection: Connection, key: bytes) -> None:
        self._db = connection
        self._key = key

    def append(
        self, targets: Sequence[tuple[str, str]], at: datetime, epoch: int = 0, waiting: Sequence[tuple[str, str]] = ()
    ) -> list[Receipt]:
        """A receipt for each (owner, id), inside the caller's transaction; for one that has its receipt, that one.

        Those of ``waiting`` are final when this epoch is erased, the others at once.
        """
        found = self.among(targets)
        milliseconds, before = int(at.timestamp() * 1000), self.generation()
        generation, rows = before, []
        for target in targets:
            if target not in found:
                generation += 1
                found[target] = Receipt(self.receipt_of(target[1]), moment(milliseconds), generation)
                rows.append((found[target].receipt, self._owner(target[0]), milliseconds, generation))
        if rows:
            self._db.executemany("INSERT INTO ledger VALUES (?, ?, ?, ?)", rows)
            ends = [(found[target].generation, epoch) for target in waiting if found[target].generation > before]
            self._db.executemany("INSERT INTO receipt_epochs VALUES (?, ?)", ends)
        return [found[target] for target in targets]

    def among(self, targets: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Receipt]:
        """The receipts of those of these (owner, id) that were destroyed."""
        named = {self.receipt_of(row_id): (owner, row_id) for owner, row_id in targets}
        query = "SELECT receipt, destroyed_at, generation, owner FROM ledger WHERE receipt IN ({})"
        return {
            named[name]: Receipt(name, moment(at), generation)
            for name, at, generation, owner in among(self._db, query, list(named))
            if bytes(owner) == self._owner(named[name][0])
        }

    def epoch_of(self, receipt: Receipt) -> int | None:
        """The epoch whose end makes it final; None when nothing went with it, or an older program gave it."""
        query = "SELECT epoch FROM receipt_epochs WHERE generation = ?"
        row = self._db.execute(query, (receipt.generation,)).fetchone()
        return None if row is None else int(row[0])

    def is_of(self, receipt: Receipt, owners: Sequence[str]) -> bool:
        """Whether it stands for something of one of these."""
        row = self._db.execute("SELECT owner FROM ledger WHERE receipt = ?", (receipt.receipt,)).fetchone()
        return row is not None and bytes(row[0]) in {self._owner(owner) for owner in owners}

    def waiting_since(self, epoch: int) -> datetime | None:
        """When the oldest receipt was given that this epoch's end makes final."""
        query = (
            "SELECT min(l.destroyed_at) FROM receipt_epochs r JOIN ledger l ON l.generation = r.generation"
            " WHERE r.epoch >= ?"
        )
        (at,) = self._db.execute(query, (epoch,)).fetchone()
        return None if at is None else moment(at)

    def find(self, owner: str, row_id: str) -> Receipt | None:
        """The receipt of this owner's row, if it was destroyed."""
        query = "SELECT receipt, destroyed_at, generation FROM ledger WHERE receipt = ? AND owner = ?"
        found = self._select(query, self.receipt_of(row_id), self._owner(owner))
        return found[0] if found else None

    def known(self, receipt: str) -> Receipt | None:
        """A receipt by its name."""
        found = self._select("SELECT receipt, destroyed_at, generation FROM ledger WHERE receipt = ?", receipt)
        return found[0] if found else None

    def of(self, owner: str) -> list[Receipt]:
        """All receipts of an owner, newest first."""
        query = "SELECT receipt, destroyed_at, generation FROM ledger WHERE owner = ? ORDER BY generation DESC"
        return self._select(query, self._owner(owner))

    def generation(self) -> int:
        """The generation of the newest receipt, 0 for none."""
        (generation,) = self._db.execute("SELECT coalesce(max(generation), 0) FROM ledger").fetchone()
        return int(generation)

    def newest(self) -> datetime | None:
        """When the newest of the last receipts was given: of a thousand, for a clock may have been behind."""
        (at,) = self._db.execute(NEWEST).fetchone()
        return None if at is None else moment(at)

    def _select(self, query: str, *values: str | bytes) -> list[Receipt]:
        return [Receipt(name, moment(at), generation) for name, at, generation in self._db.execute(query, values)]

    def receipt_of(self, row_id: str) -> str:
        """The name that the receipt of a row has, or would have."""
        return base64.urlsafe_b64encode(fingerprint(self._key, "receipt", row_id)).rstrip(b"=").decode()

    def _owner(self, owner: str) -> bytes:
        return fingerprint(self._key, "owner", owner)


def moment(milliseconds: int) -> datetime:
    """A UTC moment from milliseconds since the Unix epoch."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
