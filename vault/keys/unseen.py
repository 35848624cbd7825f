"""Keys whose row was not seen: it is still to be written, or is there no more."""

from collections.abc import Sequence
from datetime import datetime

from vault.keys.connection import Connection, transaction
from vault.keys.places import NOBODY

FOR_EVER = 2**62
"""A minute after all others."""


class Unseen:
    """What ``WrappedKeys`` knows of them."""

    _db: Connection

    def unconfirmed(self) -> list[tuple[str, int]]:
        """(id, minute after which it may be forgotten) of keys whose row was not seen yet."""
        return self._db.execute("SELECT id, reap_after FROM data_keys WHERE reap_after IS NOT NULL").fetchall()

    def confirmed(self, after: str, limit: int) -> list[str]:
        """Ids of keys whose row was seen, in order, after this one."""
        query = "SELECT id FROM data_keys WHERE reap_after IS NULL AND id > ? AND id != ? ORDER BY id LIMIT ?"
        return [row_id for (row_id,) in self._db.execute(query, (after, NOBODY, limit))]

    def confirm(self, ids: Sequence[str]) -> None:
        """These have their row."""
        with transaction(self._db):
            self._db.executemany("UPDATE data_keys SET reap_after = NULL WHERE id = ?", [(row_id,) for row_id in ids])

    def suspect(self, ids: Sequence[str], until: datetime) -> None:
        """These have no row any more; they may be forgotten after this moment unless it comes back."""
        with transaction(self._db):
            rows = [(minute(until), row_id) for row_id in ids]
            self._db.executemany("UPDATE data_keys SET reap_after = ? WHERE id = ?", rows)

    def discard(self, ids: Sequence[str], before: int = FOR_EVER) -> None:
        """Forget keys whose row was not seen; the next epoch those of their practitioners of whom nothing is left.

        Only those that may be forgotten ``before`` this minute: one may have been taken again meanwhile.
        """
        if not ids:
            return
        rows = [(row_id, before) for row_id in ids]
        with transaction(self._db):
            self._db.executemany(
                "UPDATE practitioner_keys SET stale = 1"
                " WHERE id = (SELECT owner FROM data_keys WHERE id = ? AND reap_after < ?)",
                rows,
            )
            self._db.executemany("DELETE FROM data_keys WHERE id = ? AND reap_after < ?", rows)


def minute(now: datetime) -> int:
    """Minutes since the Unix epoch."""
    return int(now.timestamp() // 60)
