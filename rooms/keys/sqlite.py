"""The key store on one SQLite file."""

import sqlite3
from pathlib import Path
from typing import Self

from rooms.errors import Locked
from rooms.keys import schema
from rooms.keys.connection import open_sqlite, transaction
from rooms.keys.envelope import Random
from rooms.keys.epoch_secrets import EpochSecrets
from rooms.keys.epochs import Epochs
from rooms.keys.files import EpochFiles
from rooms.keys.roots import RootKeys
from rooms.keys.wrapped import WrappedKeys, fill


class SqliteKeys(WrappedKeys):
    """Epoch secrets are files beside it unless they are kept elsewhere."""

    _db: sqlite3.Connection

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
        except sqlite3.Error:
            raise Locked("The key store cannot be opened for writing.") from None
        return cls.verified(connection, epochs_of(connection, path, root, random, secrets), random, tidy=tidy)

    def flush(self) -> None:
        """Move the WAL into the file and empty it."""
        truncate_wal(self._db)


def epochs_of(
    connection: sqlite3.Connection, path: Path, root: RootKeys | bytes, random: Random, secrets: EpochSecrets | None
) -> Epochs:
    """A root key alone, without its file, cannot be replaced."""
    roots = root if isinstance(root, RootKeys) else RootKeys(root)
    return Epochs(connection, secrets or EpochFiles(path.parent), roots, random)


def truncate_wal(connection: sqlite3.Connection) -> None:
    """Move the WAL into the file and empty it, unless a reader is in the way."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
