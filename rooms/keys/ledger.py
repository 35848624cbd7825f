"""The ledger of destructions: append only, in the key store, without a word about what it was."""

import base64
from datetime import UTC, datetime

from rooms.keys.connection import Connection
from rooms.keys.envelope import fingerprint
from rooms.model import Receipt


class Ledger:
    """Receipts. A receipt is HMAC(id); only who knows the id can find it. Generations count from 1 without gaps."""

    def __init__(self, connection: Connection, key: bytes) -> None:
        self._db = connection
        self._key = key

    def append(self, owner: str, row_id: str, at: datetime) -> Receipt:
        """A new receipt inside the caller's transaction."""
        milliseconds = int(at.timestamp() * 1000)
        receipt = Receipt(self.receipt_of(row_id), moment(milliseconds), self.generation() + 1)
        row = (receipt.receipt, self._owner(owner), milliseconds, receipt.generation)
        self._db.execute("INSERT INTO ledger VALUES (?, ?, ?, ?)", row)
        return receipt

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
        """When the newest receipt was given."""
        (at,) = self._db.execute("SELECT max(destroyed_at) FROM ledger").fetchone()
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
