"""What links that are mailed to somebody have in common: a token of which a keyed hash is kept, good for a time."""

from datetime import timedelta
from typing import ClassVar

from practice.accounts.store import Practitioners
from vault.clock import Now
from vault.database.database import Database
from vault.keys.store import KeyStore


class MailedLinks:
    """For ``practice.accounts`` to build on. Errors of all: ``locked``, ``try_again``."""

    life: ClassVar[timedelta]
    mark: ClassVar[str]
    """Keeps a token of the one from being one of the other."""

    def __init__(self, database: Database, keys: KeyStore, accounts: Practitioners, now: Now) -> None:
        self._database = database
        self._keys = keys
        self._accounts = accounts
        self._now = now

    def token(self, seed: str) -> str:
        """What the link of a mail holds."""
        return self._keys.link_token(seed)

    def _index(self, token: str) -> bytes:
        return self._keys.reset_mark(self.mark, token)

    def _oldest(self) -> int:
        return self._seconds() - int(self.life.total_seconds())

    def _seconds(self) -> int:
        return int(self._now().timestamp())
