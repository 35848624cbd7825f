"""Opening what accounts have sealed of themselves, when one of them may be damaged: the others are as they were."""

from typing import Any

from practice.accounts.model import Practitioner
from practice.accounts.records import open_password, open_profile
from vault.errors import Newer, Tampered, Unreadable
from vault.keys.store import KeyStore
from vault.records.reading import Reader


class People:
    """One for all that open accounts; the reader keeps which of them could not be opened."""

    def __init__(self, keys: KeyStore, reader: Reader) -> None:
        self._keys = keys
        self._reader = reader

    async def key(self, practitioner_id: str) -> tuple[bytes, bool]:
        """As ``KeyStore.get`` of somebody's own key. Errors: ``unreadable``."""
        try:
            found = await self._keys.get(practitioner_id, practitioner_id)
        except Tampered:
            self._reader.found_unreadable(practitioner_id, "key")
            raise Unreadable from None
        self._reader.found_whole(practitioner_id, "key")
        return found

    def profile(self, key: bytes, row: Any) -> Practitioner:
        """Who stands in a row. Errors: ``unreadable``."""
        try:
            person = open_profile(key, row)
        except Newer:
            self._reader.found_newer(row.id)
            raise
        except Unreadable:
            self._reader.found_unreadable(row.id, "profile")
            raise
        self._reader.newer.discard(row.id)
        self._reader.found_whole(row.id, "profile")
        return person

    def password(self, key: bytes, row: Any) -> str:
        """The argon2id hash in a row. Errors: ``unreadable``."""
        try:
            digest = open_password(key, row.id, row.password)
        except Unreadable:
            self._reader.found_unreadable(row.id, "password")
            raise
        self._reader.found_whole(row.id, "password")
        return digest

    def gone(self, practitioner_id: str) -> None:
        """There is no such account any more."""
        self._reader.forget(practitioner_id)
