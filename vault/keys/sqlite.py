"""The key store on one SQLite file."""

import base64
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from vault.errors import Locked, Lost
from vault.keys import schema
from vault.keys.connection import PRAGMAS, open_sqlite, transaction
from vault.keys.envelope import Random
from vault.keys.epoch_secrets import EpochSecrets
from vault.keys.epochs import Epochs
from vault.keys.files import EpochFiles, flush_folder, private_folder, write_new
from vault.keys.roots import RootKeys
from vault.keys.wrapped import WrappedKeys, fill
from vault.pinned import Pinned

NAME = "keystore.sqlite"
LEAVING_MILLISECONDS = 1000
SAVED = "Do not stop this server before `rescued-…` is in its data folder; see *Saving* in docs/operations.md."


class SqliteKeys(WrappedKeys):
    """Epoch secrets are files beside it unless they are kept elsewhere."""

    _db: sqlite3.Connection
    _path: Path
    _pinned: Pinned | None = None

    @classmethod
    def create(
        cls, path: Path, root: RootKeys | bytes, pair: str, random: Random, secrets: EpochSecrets | None = None
    ) -> None:
        """A new key store for the database with this pair id. One transaction: half of it is not there."""
        connection = open_sqlite(path)
        try:
            with transaction(connection):
                for statement in schema.split(schema.SQLITE):
                    connection.execute(statement)
                fill(connection, epochs_of(connection, path, root, random, secrets), pair, random)
        finally:
            connection.close()

    @classmethod
    def open(
        cls,
        path: Path,
        root: RootKeys | bytes,
        random: Random,
        secrets: EpochSecrets | None = None,
        *,
        tidy: bool = True,
    ) -> Self:
        """An existing key store; Locked when anything about it is not as it was left."""
        try:
            connection = open_sqlite(path)
        except (sqlite3.Error, OSError):
            raise Locked("The key store cannot be opened for writing.") from None
        keys = cls.verified(connection, epochs_of(connection, path, root, random, secrets), random, tidy=tidy)
        keys._path = path
        keys._pin()
        return keys

    def present(self) -> None:
        """The file, its journal, the epoch's secret and the root key."""
        if self._pinned is not None and not self._pinned.whole():
            raise Lost(f"The key store's file was removed or replaced while it was in use. {SAVED}")
        if not self._epochs.roots.there():
            raise Lost(f"The root key's file was removed while it was in use. {SAVED}")
        secrets = self._epochs.secrets
        if not isinstance(secrets, EpochFiles) or secrets.there(self._epochs.loaded):
            return
        # Another process may begin an epoch between both questions.
        if not any(secrets.there(self._epochs.number()) for _ in range(3)):
            raise Lost(f"The epoch's key file was removed while it was in use. {SAVED}")

    def save(self, folder: Path) -> None:
        """A copy that opens by itself: with an epoch of its own, and with the root key where that has no file left."""
        private_folder(folder)
        path = folder / NAME
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        connection = open_sqlite(path)
        try:
            self._db.backup(connection)
            if isinstance(self._epochs.secrets, EpochFiles):
                copy = SqliteKeys(connection, self._epochs.adopted_by(connection, EpochFiles(folder)), self._random)
                copy.rotate(everything=True)
            truncate_wal(connection)
        finally:
            connection.close()
        if not self._epochs.roots.there():
            write_new(folder / "root.key", base64.b64encode(self._epochs.roots.key) + b"\n")
        flush_folder(folder)

    def flush(self) -> None:
        """Move the WAL into the file and empty it."""
        truncate_wal(self._db)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """SQLite lets nobody leave the WAL who is not alone, nor anybody else in before the lock is given back."""
        self._db.execute(f"PRAGMA busy_timeout={LEAVING_MILLISECONDS}")
        self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
        try:
            if not self._left_wal():
                yield False
                return
            with transaction(self._db):
                yield True
        finally:
            self._db.execute("PRAGMA locking_mode=NORMAL")
            for pragma in PRAGMAS:
                self._db.execute(f"PRAGMA {pragma}").fetchone()
            self._db.execute("SELECT 1 FROM meta LIMIT 1").fetchone()
            self._pin()

    def _left_wal(self) -> bool:
        try:
            self._db.execute("PRAGMA journal_mode=DELETE").fetchone()
        except sqlite3.OperationalError:
            return False
        return True

    def _pin(self) -> None:
        self._pinned = Pinned((self._path, self._path.with_name(f"{self._path.name}-wal")))


def epochs_of(
    connection: sqlite3.Connection, path: Path, root: RootKeys | bytes, random: Random, secrets: EpochSecrets | None
) -> Epochs:
    """A root key alone, without its file, cannot be replaced."""
    roots = root if isinstance(root, RootKeys) else RootKeys(root)
    return Epochs(connection, secrets or EpochFiles(path.parent), roots, random)


def truncate_wal(connection: sqlite3.Connection) -> None:
    """Move the WAL into the file and empty it, unless a reader is in the way."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
