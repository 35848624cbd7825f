"""Where the key store is kept, by the settings: SQLite or PostgreSQL, epoch secrets in files or in OpenBao."""

import secrets
import sqlite3
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from vault.errors import StartRefused
from vault.faults import reason
from vault.keys.connection import FAULTS
from vault.keys.envelope import Random
from vault.keys.epoch_secrets import EpochSecrets
from vault.keys.files import create_root_key, private_folder
from vault.keys.postgres import PostgresKeys, holds
from vault.keys.roots import RootKeys
from vault.keys.sqlite import SqliteKeys
from vault.keys.transit import Transit, TransitSecrets
from vault.keys.wrapped import WrappedKeys
from vault.settings import VaultSettings


class Backend(Protocol):
    """One place for a key store. Blocks."""

    def holds(self) -> bool:
        """Whether a key store was made here. Errors: Locked."""

    def there(self) -> bool:
        """Whether there is anything to open. Errors: Locked."""

    def create(self, pair: str) -> None:
        """A new key store and, if there is none, a root key. Errors: StartRefused, Locked."""

    def open(self, *, tidy: bool = True) -> WrappedKeys:
        """The key store; Locked when anything about it is not as it was left."""


class SqliteBackend:
    """A file in a folder of its own."""

    def __init__(
        self, path: Path, root: Path, epochs: EpochSecrets | None = None, random: Random = secrets.token_bytes
    ) -> None:
        self._path = path
        self._root = root
        self._epochs = epochs
        self._random = random

    def holds(self) -> bool:
        """One that was cut off before its first commit is none."""
        if not self._path.exists() or self._path.stat().st_size == 0:
            return False
        connection = sqlite3.connect(f"file:{quote(str(self._path))}?mode=ro", uri=True)
        try:
            return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None
        except sqlite3.Error:
            return True
        finally:
            connection.close()

    def there(self) -> bool:
        """Whether the file is."""
        return self._path.exists()

    def create(self, pair: str) -> None:
        """Makes the folder too."""
        try:
            create_root_key(self._root)
            private_folder(self._path.parent)
            SqliteKeys.create(self._path, RootKeys.read(self._root), pair, self._random, self._epochs)
        except FAULTS as error:
            raise StartRefused(reason(error, f"The key store or its root key in {self._path.parent}")) from None

    def open(self, *, tidy: bool = True) -> WrappedKeys:
        """Locked, StartRefused."""
        return SqliteKeys.open(self._path, RootKeys.read(self._root), self._random, self._epochs, tidy=tidy)


class PostgresBackend:
    """A database of its own, with epoch secrets in OpenBao."""

    def __init__(self, address: str, root: Path, epochs: EpochSecrets, random: Random) -> None:
        self._address = address
        self._root = root
        self._epochs = epochs
        self._random = random

    def holds(self) -> bool:
        """Whether it has our tables."""
        return holds(self._address)

    def there(self) -> bool:
        """Whether it has our tables."""
        return holds(self._address)

    def create(self, pair: str) -> None:
        """In an existing, empty database."""
        try:
            create_root_key(self._root)
            PostgresKeys.create(self._address, RootKeys.read(self._root), pair, self._random, self._epochs)
        except FAULTS as error:
            raise StartRefused(reason(error, "The key store of rooms.keystore_url, or its root key,")) from None

    def open(self, *, tidy: bool = True) -> WrappedKeys:
        """Locked, StartRefused."""
        return PostgresKeys.open(self._address, RootKeys.read(self._root), self._random, self._epochs, tidy=tidy)


def backend(settings: VaultSettings, random: Random = secrets.token_bytes) -> Backend:
    """The key store of these settings. Errors: StartRefused."""
    url, root = settings.keystore_address(), settings.root_key()
    epochs = TransitSecrets(Transit(settings.transit), random) if settings.transit.address else None
    if url.get_backend_name() == "sqlite":
        return SqliteBackend(settings.keystore(), root, epochs, random)
    if epochs is None:
        raise StartRefused("A key store in PostgreSQL needs OpenBao for its epoch keys; set rooms.transit.address.")
    return PostgresBackend(url.render_as_string(hide_password=False), root, epochs, random)
