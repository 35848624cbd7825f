"""Epochs: the key above all practitioner keys, replaced after every sweep that destroyed something."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from vault.errors import Locked, Tampered
from vault.keys.connection import Connection, snapshot, transaction
from vault.keys.envelope import Place, Random, epoch_key, seal, unseal
from vault.keys.epoch_secrets import EpochSecrets
from vault.keys.roots import RootKeys
from vault.keys.schema import EPOCH, TREE, read_value, write_value

NUMBER: Final = "(SELECT value FROM meta WHERE name IN ('epoch', 'trunk'))"
"""Which epoch is the current one, inside a statement that reads what is wrapped under it."""


class Epochs:
    """The current epoch's key. The number stands in the key store, so a rotation takes effect with its commit."""

    def __init__(self, connection: Connection, secrets: EpochSecrets, roots: RootKeys, random: Random) -> None:
        self._db = connection
        self.secrets = secrets
        self.roots = roots
        self._random = random
        self._loaded = 0
        self._key = b""

    @property
    def loaded(self) -> int:
        """The epoch whose key was used last; 0 for none."""
        return self._loaded

    def number(self) -> int:
        """The current epoch, from 1."""
        (value,) = self._db.execute(f"SELECT {NUMBER}").fetchone()
        if value is None:
            raise sqlite3.DatabaseError("incomplete key store")
        return int(value)

    def current(self, number: int | None = None) -> bytes:
        """The current epoch's key. Locked when its secret is gone, or no root key there is opens the key store.

        ``number`` is for callers whose own statement has just read which epoch is the current one.
        """
        number = self.number() if number is None else number
        if number != self._loaded:
            self._key, self._loaded = self._open(number), number
        return self._key

    def rows(self, query: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of one statement whose last column is ``NUMBER``; what they are wrapped under is loaded then.

        One statement is a snapshot by itself. Only where another process began an epoch since, which shows in that
        column, it is run again together with what the new epoch is opened by.
        """
        with snapshot(self._db):
            found: list[tuple[Any, ...]] = self._db.execute(query, parameters).fetchall()
        if any(row[-1] is None for row in found):
            raise sqlite3.DatabaseError("incomplete key store")
        if any(int(row[-1]) != self._loaded for row in found):
            with transaction(self._db, write=False):
                found = self._db.execute(query, parameters).fetchall()
                self.current()
        return found

    def adopted_by(self, connection: Connection, secrets: EpochSecrets) -> "Epochs":
        """The same epoch in a copy of the key store whose next secrets are kept elsewhere."""
        copy = Epochs(connection, secrets, self.roots, self._random)
        copy._loaded, copy._key = self.number(), self.current()
        return copy

    def begin(self, pair: str, after: int, root: bytes) -> bytes:
        """Make an epoch inside the caller's transaction; the key returned is current once that is committed."""
        number, secret, sealed = self.secrets.make(after)
        key = epoch_key(root, secret, number)
        value = str(number).encode()
        if not self._db.execute("UPDATE meta SET value = ? WHERE name IN (?, ?)", (value, *EPOCH.values())).rowcount:
            write_value(self._db, EPOCH[TREE], value)
        write_value(self._db, "secret", sealed)
        write_value(self._db, "check", seal(key, pair.encode(), check_place(number), self._random))
        return key

    def verify(self, pair: str) -> None:
        """Locked when root key and epoch secret are not those that made the key store with this pair id."""
        key = self.current()
        if unseal(key, read_value(self._db, "check"), check_place(self.number())) != pair.encode():
            raise Tampered

    def unwrap(self, wrapped: bytes, place: Place, number: int | None = None) -> bytes:
        """A key from under the current epoch; ``number`` as in ``current``."""
        return unseal(self.current(number), wrapped, place)

    def tidy(self) -> None:
        """Erase what is not of the current epoch; inside a write transaction, for one may be in the making."""
        self.secrets.tidy(self.number())
        self.roots.settle()

    def _open(self, number: int) -> bytes:
        secret = self.secrets.read(number, read_value(self._db, "secret", b""))
        check = read_value(self._db, "check")
        for root in self.roots.candidates():
            key = epoch_key(root, secret, number)
            try:
                unseal(key, check, check_place(number))
            except Tampered:
                continue
            self.roots.key = root
            return key
        raise Locked("The root key does not open the key store.")


def check_place(number: int) -> Place:
    """Where the proof stands that root key, epoch secret and key store belong together."""
    return Place("meta", "check", str(number), "keystore")
