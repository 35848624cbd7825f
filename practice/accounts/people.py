"""Opening what accounts have sealed of themselves, when one of them may be damaged: the others are as they were."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.model import Practitioner
from practice.accounts.records import open_password, open_profile, practitioners
from vault.database.database import Database
from vault.database.marks import is_closing
from vault.errors import Newer, Tampered, Unreadable
from vault.keys.store import KeyStore
from vault.records.reading import Reader

NAMED: Final = select(practitioners).where(practitioners.c.id.in_(bindparam("accounts", expanding=True)))
LOCKED: Final = select(practitioners.c.id).where(practitioners.c.id == bindparam("owner")).with_for_update()


async def is_open(connection: AsyncConnection, owner: str) -> bool:
    """Whether the account is neither closed nor closing, which stays so until the transaction ends.

    Who writes something of it waits for whoever writes something else, and for its end.
    """
    there = (await connection.execute(LOCKED, {"owner": owner})).first() is not None
    return there and not await is_closing(connection, owner)


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

    async def who(self, database: Database, account: str) -> Practitioner | None:
        """Who has this account, for the server itself; None where there is none. Errors: ``unreadable``."""
        rows = await database.ask(NAMED, {"accounts": [account]})
        key, there = await self.key(account) if rows else (b"", False)
        return self.profile(key, rows[0]) if there else None

    async def names(self, database: Database, accounts: Collection[str]) -> Mapping[str, str]:
        """Shown names by account; who is gone or cannot be read is not among them."""
        rows = await database.ask(NAMED, {"accounts": list(accounts)}) if accounts else []
        keys = await self._keys.get_many((row.id, row.id) for row in rows)
        found = {}
        for row in rows:
            try:
                found[row.id] = self.profile(keys[row.id], row).display_name
            except (KeyError, Unreadable):
                continue
        return found

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
