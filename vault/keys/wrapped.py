"""The wrapped keys and the ledger, in a database of their own. Synchronous; ``vault.keys.store`` runs it in a thread.

**A key exists only as a committed row here; deleting that row is the destruction.**
"""

import logging
from abc import ABC, abstractmethod
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Self

from vault.errors import DomainError, Locked, Tampered
from vault.keys import schema
from vault.keys.connection import FAULTS, Cluster, Connection, transaction
from vault.keys.envelope import Random, fingerprint, new_key, seal, unseal
from vault.keys.epoch_secrets import EpochSecrets
from vault.keys.epochs import Epochs
from vault.keys.inspection import Inspection, Inspector
from vault.keys.layout import can_go_back, to_flat, to_tree
from vault.keys.ledger import Ledger
from vault.keys.many import among, change
from vault.keys.opening import Both, Opening
from vault.keys.places import NOBODY, SERVICES, data_place, service_place
from vault.keys.receipt import Receipt
from vault.keys.schema import read_value, write_value
from vault.keys.tree import Tree, opened
from vault.keys.unseen import Unseen, minute

logger = logging.getLogger(__name__)

GRACE = timedelta(minutes=10)  # longer than any write takes: a key without a row by then was never acknowledged


class WaitingKeys(NamedTuple):
    """Practitioners of whom something was destroyed since the epoch began; when that was first, if it is known."""

    people: int
    since: datetime | None


class WrappedKeys(Unseen, ABC):
    """What ``SqliteKeys`` and ``PostgresKeys`` have in common: all but how they are made and opened.

    Any method may raise one of ``connection.FAULTS`` or Locked; nothing is half done then.
    """

    def __init__(self, connection: Connection, epochs: Epochs, random: Random) -> None:
        self._db = connection
        self._epochs = epochs
        self._random = random
        self._opening = Opening(connection, epochs)
        self._tree = Tree(connection, random)
        self.flat = schema.version(connection) == schema.FLAT
        self.pair = read_value(connection, "pair").decode()
        self._mail_key = self._service("mail")
        self.ledger = Ledger(connection, self._service("receipt"))

    @classmethod
    def verified(
        cls, connection: Connection, epochs: Epochs, random: Random, *, proof: str | None = None, tidy: bool
    ) -> Self:
        """An existing key store; Locked, and the connection closed, when anything about it is not as it was left.

        ``proof`` is a statement that proves that it can be written, where an empty write transaction does not.
        """
        try:
            with transaction(connection):
                schema.verify(connection)
                if proof:
                    connection.execute(proof)
                schema.complete(connection)
                epochs.verify(read_value(connection, "pair").decode())
                keys = cls(connection, epochs, random)
                if tidy:
                    epochs.tidy()
        except (*FAULTS, Tampered):
            connection.close()
            raise Locked("The key store is damaged or cannot be written.") from None
        except BaseException:
            connection.close()
            raise
        return keys

    def close(self) -> None:
        """Idempotent."""
        self._db.close()

    @abstractmethod
    def present(self) -> None:
        """Lost when a restart would not find what is open now: nothing may be acknowledged."""

    def save(self, folder: Path) -> None:
        """Write what is open into a new folder, from where it can be put back. Errors: Locked, OSError, sqlite3."""
        raise Locked("A key store in a database server is saved by the tools of that.")

    @abstractmethod
    def flush(self) -> None:
        """Leave no deleted cell in a journal that would keep it."""

    def cluster(self) -> Cluster | None:
        """Where PostgreSQL keeps this key store; None for a file, or when it may not be asked."""
        return None

    def check(self) -> None:
        """That it can be read."""
        self._epochs.number()

    @property
    def secrets(self) -> EpochSecrets:
        """Where the epochs' secrets live; may be asked from any thread."""
        return self._epochs.secrets

    def inspect(self, now: datetime) -> Inspection:
        """Look at everything in one snapshot, changing nothing."""
        with transaction(self._db, write=False):
            return Inspector(self._db, self._epochs, self.ledger).inspect(now)

    # --- flat or a tree -----------------------------------------------------------------------------------------------

    def grow(self) -> bool:
        """Take the step to the tree unless others have the key store open; whether it is a tree now."""
        if self.flat:
            with self._alone() as alone:
                if alone:
                    to_tree(self._db, self._epochs, self._random)
            self.flat = not alone
        return not self.flat

    def shrink(self) -> bool:
        """Take the step back, unless others have the key store open; whether it is flat now. Errors: StartRefused."""
        if not self.flat:
            with self._alone() as alone:
                if alone:
                    to_flat(self._db, self._epochs, self._random)
            self.flat = alone
        return self.flat

    def can_go_back(self) -> bool:
        """Whether ``shrink`` could be done."""
        with transaction(self._db, write=False):
            return self.flat or can_go_back(self._db, self._epochs)

    @abstractmethod
    def _alone(self) -> AbstractContextManager[bool]:
        """A write transaction that nobody else's connection is beside; False, and no transaction, when one is."""

    # --- keys --------------------------------------------------------------------------------------------------------

    def add_practitioner(self, row_id: str, now: datetime) -> bytes:
        """A practitioner key, and the data key (returned) of the practitioner's own row."""
        with transaction(self._db):
            self._tree.add(self._epochs.current(), row_id)
            return self._add(row_id, row_id, now)

    def add(self, owner: str, row_id: str, now: datetime) -> bytes:
        """A new data key, committed before its row can be written. Errors: ``not_found`` (its owner)."""
        with transaction(self._db):
            return self._add(owner, row_id, now)

    def take(self, owner: str, ids: Sequence[str], now: datetime) -> dict[str, bytes]:
        """Data keys of an owner for rows that are handed over to them, by id: new ones, or those of a try before.

        Nobody forgets them for a while. Errors: ``not_found`` (the owner); ``try_again`` while somebody else has one.
        """
        with transaction(self._db):
            there = set(among(self._db, "SELECT id, owner FROM data_keys WHERE id IN ({})", ids))
            if any(whose != owner for _, whose in there):
                raise DomainError("try_again")
            for row_id in ids:
                if (row_id, owner) not in there:
                    self._add(owner, row_id, now)
            rows = [(minute(now + GRACE), row_id) for row_id in ids]
            renewed = "UPDATE data_keys SET reap_after = ? WHERE id = ? AND reap_after IS NOT NULL"
            self._db.executemany(renewed, rows)
        return self._opening.many({(owner, row_id) for row_id in ids})

    def get(self, owner: str, row_id: str) -> tuple[bytes, bool]:
        """A data key and True; for unknown ones, with the same work, the key of nobody and False."""
        found = self._opening.one(owner, row_id)
        return found.key, found.known

    def get_with_owner(self, owner: str, row_id: str) -> Both:
        """The same, and the data key of the practitioner's own row."""
        return self._opening.both(owner, row_id)

    def get_many(self, wanted: Iterable[tuple[str, str]]) -> dict[str, bytes]:
        """Data keys by id, for (owner, id) pairs. Those that are not there or do not open are left out."""
        return self._opening.many(set(wanted))

    def missing(self, ids: Sequence[str]) -> list[str]:
        """Those of the ids that have no data key."""
        with transaction(self._db, write=False):
            there = {row_id for (row_id,) in among(self._db, "SELECT id FROM data_keys WHERE id IN ({})", ids)}
        return [row_id for row_id in ids if row_id not in there]

    def practitioners(self) -> int:
        """How many there are keys for."""
        (count,) = self._db.execute("SELECT count(*) - 1 FROM practitioner_keys").fetchone()
        return int(count)

    def ids(self) -> list[str]:
        """Of every data key."""
        return [row_id for (row_id,) in self._db.execute("SELECT id FROM data_keys ORDER BY id").fetchall()]

    def every(self) -> list[bytes]:
        """All keys that exist and open: data keys, practitioners', the server's own, the epoch's and the root key."""
        with transaction(self._db, write=False):
            found = [self._epochs.roots.key, self._epochs.current(), *(self._service(name) for name in SERVICES)]
            epoch, keys = self._epochs.current(), {}
            for hung in self._tree.everybody():
                with suppress(Tampered):
                    keys[hung.id] = opened(epoch, hung)
            found += [branch.key for branch in self._tree.branches(epoch)]
            for row_id, owner, wrapped in self._db.execute("SELECT id, owner, wrapped FROM data_keys").fetchall():
                with suppress(Tampered, KeyError):
                    found.append(unseal(keys[owner], wrapped, data_place(row_id, owner)))
            return [*found, *keys.values()]

    def mail_index(self, mail: str) -> bytes:
        """The blind index of an address in canonical form."""
        return fingerprint(self._mail_key, "mail", mail)

    def session_index(self, token: str) -> bytes:
        """What the database holds of a session: who can write there, but has not this key, can make none."""
        return fingerprint(self._mail_key, "session", token)

    def form_mark(self, token: str) -> bytes:
        """What the forms of a session hold: who can read the database, but has not this key, can make none."""
        return fingerprint(self._mail_key, "form", token)

    def factors_id(self, owner: str, number: int) -> str:
        """The id of what an account has of second factors, after so many that were destroyed."""
        return urlsafe_b64encode(fingerprint(self._mail_key, "factors", f"{owner}|{number}")[:16]).rstrip(b"=").decode()

    def heir(self, row_id: str) -> str:
        """The id of a row after it was handed over: who has not this key cannot say which of two rows came first."""
        return urlsafe_b64encode(fingerprint(self._mail_key, "handed", row_id)[:16]).rstrip(b"=").decode()

    def handing_mark(self, owner: str, said: str) -> str:
        """What was asked to be handed over: who can write to the database, but has not this key, asks for nothing."""
        return fingerprint(self._mail_key, "handing", f"{owner}|{said}").hex()

    def totp_secret(self, of: str) -> bytes:
        """What an app that is set up gets, for whom and in which session."""
        return fingerprint(self._mail_key, "totp", of)

    def recovery_hash(self, owner: str, code: str) -> str:
        """What is kept of a recovery code."""
        return fingerprint(self._mail_key, "recovery", f"{owner}|{code}").hex()

    def reset_mark(self, use: str, text: str) -> bytes:
        """Of links to a new password: who has not this key makes none, whatever else they read."""
        return fingerprint(self._mail_key, f"reset-{use}", text)

    # --- the audit trail ---------------------------------------------------------------------------------------------

    def audit_key(self) -> bytes:
        """The key of the audit trail, which stays the same for as long as the key store lives."""
        return fingerprint(self._service("receipt"), "audit", self.pair)

    def anchored(self) -> tuple[int, bytes]:
        """The newest entry of the audit trail that was anchored here: its number and its link; 0 for none."""
        row = self._db.execute("SELECT value FROM meta WHERE name = 'audit'").fetchone()
        return (0, b"") if row is None else (int.from_bytes(row[0][:8], "big"), row[0][8:])

    def anchor(self, number: int, link: bytes) -> None:
        """Remember the newest entry of the audit trail; never an older one than is remembered."""
        with transaction(self._db):
            if number > self.anchored()[0]:
                write_value(self._db, "audit", number.to_bytes(8, "big") + link)

    # --- destruction -------------------------------------------------------------------------------------------------

    def destroy(self, targets: Sequence[tuple[str, str]], at: datetime) -> list[Receipt]:
        """Delete data keys of (owner, id) and append receipts, in one transaction; again gives the first receipt."""
        with transaction(self._db):
            wanted = set(targets)
            query = "SELECT owner, id FROM data_keys WHERE id IN ({})"
            there = [found for found in among(self._db, query, [row_id for _, row_id in targets]) if found in wanted]
            change(self._db, "DELETE FROM data_keys WHERE id IN ({})", [row_id for _, row_id in there])
            stale = "UPDATE practitioner_keys SET stale = 1 WHERE id IN ({})"
            change(self._db, stale, sorted({owner for owner, _ in there}))
            receipts = self.ledger.append(targets, at, self._epochs.number(), there)
        self.flush()
        return receipts

    def waiting(self) -> WaitingKeys:
        """Whose keys a new epoch has to replace."""
        with transaction(self._db, write=False):
            (count,) = self._db.execute("SELECT count(*) FROM practitioner_keys WHERE stale = 1").fetchone()
            since = self.ledger.waiting_since(self._epochs.number()) if count else None
            return WaitingKeys(int(count), since)

    def final(self, receipt: Receipt) -> bool:
        """Whether the epoch is erased under which what the receipt stands for could be opened."""
        with transaction(self._db, write=False):
            stale = [row_id for (row_id,) in self._db.execute("SELECT id FROM practitioner_keys WHERE stale = 1")]
            epoch, number = self.ledger.epoch_of(receipt), self._epochs.number()
            if epoch is None:  # nothing was there to be destroyed, or an older program destroyed it
                return not self.ledger.is_of(receipt, stale)
        return epoch < number and self.secrets.erased(epoch)

    def rotate(self, *, everything: bool = False) -> bool:
        """A new epoch, and new keys for practitioners of whom something was destroyed; False when there are none.

        With ``everything`` a new epoch also when nothing was destroyed.
        """
        with transaction(self._db, write=False):
            stale = self._db.execute("SELECT 1 FROM practitioner_keys WHERE stale = 1 LIMIT 1").fetchone() is not None
        if stale or everything:
            with transaction(self._db):
                self._next_epoch(self._epochs.roots.key)
        self._tidy()
        return stale

    def replace_root(self) -> None:
        """A new root key, and a new epoch under it.

        The new key lies beside the old one before anything is wrapped with it, and takes its place after that is
        committed; whichever of the two opens the key store is found at the next start.
        """
        with transaction(self._db):
            self._next_epoch(self._epochs.roots.prepare())
        self._tidy()

    def _tidy(self) -> None:
        self.flush()
        self.secrets.check()  # before taking the lock: nobody else need wait for an answer that does not come
        with transaction(self._db):  # nobody else is between making an epoch and committing its number
            self._epochs.current()
            self._epochs.tidy()

    def _next_epoch(self, root: bytes) -> None:
        old = self._epochs.current()
        new = self._epochs.begin(self.pair, self._epochs.number(), root)
        self._tree.renew(old, new)
        services = self._db.execute("SELECT name, wrapped FROM service_keys").fetchall()
        renewals = [
            (seal(new, unseal(old, wrapped, service_place(name)), service_place(name), self._random), name)
            for name, wrapped in services
        ]
        self._db.executemany("UPDATE service_keys SET wrapped = ? WHERE name = ?", renewals)

    # --- inside a transaction ----------------------------------------------------------------------------------------

    def _add(self, owner: str, row_id: str, now: datetime) -> bytes:
        key = new_key(self._random)
        wrapped = seal(self._practitioner_key(owner), key, data_place(row_id, owner), self._random)
        self._db.execute("INSERT INTO data_keys VALUES (?, ?, ?, ?)", (row_id, owner, wrapped, minute(now + GRACE)))
        return key

    def _practitioner_key(self, row_id: str) -> bytes:
        return opened(self._epochs.current(), self._tree.hung(row_id))

    def _service(self, name: str) -> bytes:
        row = self._db.execute("SELECT wrapped FROM service_keys WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise Tampered
        return self._epochs.unwrap(row[0], service_place(name))


def fill(connection: Connection, epochs: Epochs, pair: str, random: Random) -> None:
    """What a new key store holds, inside the caller's transaction: half of it is not there."""
    write_value(connection, "schema", str(schema.TREE).encode())
    write_value(connection, "pair", pair.encode())
    epoch = epochs.begin(pair, 0, epochs.roots.key)
    write_value(connection, schema.SINCE, str(epochs.number()).encode())
    for name in SERVICES:
        wrapped = seal(epoch, new_key(random), service_place(name), random)
        connection.execute("INSERT INTO service_keys VALUES (?, ?)", (name, wrapped))
    tree = Tree(connection, random)
    tree.add(epoch, NOBODY)
    nobody = opened(epoch, tree.hung(NOBODY))
    wrapped = seal(nobody, new_key(random), data_place(NOBODY, NOBODY), random)
    connection.execute("INSERT INTO data_keys VALUES (?, ?, ?, NULL)", (NOBODY, NOBODY, wrapped))
