"""What stores of records stand on, handed to each whole: what all of them need besides is one more field here."""

from collections.abc import Callable
from dataclasses import dataclass

from vault.clock import Now
from vault.database.database import Database
from vault.keys.store import KeyStore
from vault.records.reading import Reader
from vault.records.writing import Writer
from vault.reserve import Reserve


@dataclass(frozen=True)
class Means:
    """``sweep`` is told that rows are marked, or due earlier than before; ``reserve`` that something large comes."""

    database: Database
    keys: KeyStore
    reader: Reader
    now: Now
    reserve: Reserve
    sweep: Callable[[], None]


class RecordStore:
    """The store of a kind begins with this; what may be asked and done is its own. Nothing of it is for others."""

    def __init__(self, means: Means) -> None:
        self._database = means.database
        self._keys = means.keys
        self._reader = means.reader
        self._now = means.now
        self._reserve = means.reserve
        self._sweep = means.sweep
        self._writer = Writer(means.database, means.keys, means.now)
