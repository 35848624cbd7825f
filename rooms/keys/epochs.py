"""Epochs: the key above all practitioner keys, replaced after every sweep that destroyed something."""

import sqlite3

from rooms.errors import Locked, Tampered
from rooms.keys.envelope import Place, Random, epoch_key, seal, unseal
from rooms.keys.files import EpochFiles
from rooms.keys.schema import read_value, write_value


class Epochs:
    """The current epoch's key. The number stands in the key store, so a rotation takes effect with its commit."""

    def __init__(self, connection: sqlite3.Connection, files: EpochFiles, root: bytes, random: Random) -> None:
        self._db = connection
        self._files = files
        self._root = root
        self._random = random
        self._loaded = 0
        self._key = b""

    def number(self) -> int:
        """The current epoch, from 1."""
        return int(read_value(self._db, "epoch"))

    def current(self) -> bytes:
        """The current epoch's key; Locked when its file is gone."""
        number = self.number()
        if number != self._loaded:
            self._key, self._loaded = self._derive(number, self._files.read(number)), number
        return self._key

    def begin(self, number: int, pair: str) -> bytes:
        """Make an epoch inside the caller's transaction; the key returned is current once that is committed."""
        key = self._derive(number, self._files.create(number))
        write_value(self._db, "epoch", str(number).encode())
        write_value(self._db, "check", seal(key, pair.encode(), check_place(number), self._random))
        return key

    def verify(self, pair: str) -> None:
        """Locked when root key and epoch file are not those that made this key store."""
        try:
            if unseal(self.current(), read_value(self._db, "check"), check_place(self.number())) == pair.encode():
                return
        except Tampered:
            pass
        raise Locked("The root key does not open the key store.")

    def wrap(self, key: bytes, place: Place) -> bytes:
        """A key under the current epoch."""
        return seal(self.current(), key, place, self._random)

    def unwrap(self, wrapped: bytes, place: Place) -> bytes:
        """A key from under the current epoch."""
        return unseal(self.current(), wrapped, place)

    def tidy(self) -> None:
        """Erase the files of all other epochs; inside a write transaction, for a new epoch may be in the making."""
        self._files.tidy(self.number())

    def _derive(self, number: int, secret: bytes) -> bytes:
        return epoch_key(self._root, secret, number)


def check_place(number: int) -> Place:
    """Where the proof stands that root key, epoch file and key store belong together."""
    return Place("meta", "check", str(number), "keystore")
