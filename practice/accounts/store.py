"""Practitioners: found by a keyed hash of their address, known only by a sealed profile."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Protocol, get_args

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Row, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.common import is_common
from practice.accounts.model import RETENTION, Language, Practitioner, Retention
from practice.accounts.people import People
from practice.accounts.records import (
    mail_changes,
    open_password,
    practitioners,
    resets,
    seal_password,
    seal_profile,
)
from practice.mailboxes import spellings
from practice.names import named
from vault.clock import Now
from vault.database.database import Database
from vault.database.marks import accounts_behind, closing
from vault.errors import DomainError
from vault.keys.places import NOBODY
from vault.keys.store import KeyStore
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.writing import Allowed, Along

logger = logging.getLogger(__name__)

PASSWORD_LENGTH = range(8, 1025)
MAX_MAIL = 254  # RFC 5321 4.5.3.1.3, less the angle brackets
MAX_NAME = 200
PASSED_OVER = ("unreadable", "not_found")
"""One who cannot be read, or was closed meanwhile, keeps nobody else back."""

HASHES_AT_ONCE = 2  # each takes 64 MiB

ROW = select(practitioners).where(practitioners.c.id == bindparam("wanted"))
BY_MAIL = select(practitioners).where(practitioners.c.mail.in_(bindparam("indices", expanding=True)))


Beside = Callable[[AsyncConnection, str], Awaitable[None]]
"""Called with the id of a new account."""


class Following(Protocol):
    """What has to follow somebody's retention setting, inside the caller's transaction.

    The other two give how many records the setting destroys within a minute.
    """

    async def demand_allowed(self, connection: AsyncConnection, owner: str, setting: Retention) -> None: ...
    async def preview(self, connection: AsyncConnection, owner: str, setting: Retention) -> int: ...
    async def follow(self, connection: AsyncConnection, owner: str, setting: Retention) -> int: ...


class Practitioners:
    """``store.practitioners``."""

    def __init__(
        self,
        database: Database,
        keys: KeyStore,
        people: People,
        planned: Following,
        now: Now,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._database = database
        self._keys = keys
        self._people = people
        self._planned = planned
        self._now = now
        self._hasher = hasher or PasswordHasher()  # RFC 9106, second recommended option
        self._hashing = asyncio.Semaphore(HASHES_AT_ONCE)
        self._decoy: bytes | None = None

    async def add(
        self,
        mail: str,
        password: str,
        display_name: str,
        language: Language,
        retention: Retention = "30d",
        *,
        beside: Beside | None = None,
        account: str | None = None,
    ) -> Practitioner:
        """A new practitioner. ``beside`` writes what belongs to the account in its transaction; ``account`` is its id
        where something was made for it before.

        Errors: ``conflict`` (the address is taken), ``invalid`` (a field or the password).
        """
        person = Practitioner(account or new_id(), mail.strip(), display_name.strip(), language, retention, 1)
        self._check(person, password)
        digest = await self._hash(password)
        key = await self._keys.add_practitioner(person.id, self._now())
        row = {
            "id": person.id,
            "mail": self.indices(mail)[0],
            "profile": seal_profile(key, person),
            "password": seal_password(key, person.id, digest),
            "version": 1,
        }
        try:
            async with self._database.write() as connection:
                await self.demand_free(connection, mail)
                await connection.execute(insert(practitioners).values(row))
                if beside is not None:
                    await beside(connection, person.id)
        except DomainError as error:
            if error.code != "try_again":  # nobody can say whether the row came
                await self._keys.discard([person.id])
            raise
        return person

    def indices(self, mail: str) -> list[bytes]:
        """What an address is found by: that of its canonical form, then those that a release of before kept it by."""
        return [self._keys.mail_index(one) for one in spellings(mail)]

    async def demand_free(self, connection: AsyncConnection, mail: str, but: str | None = None) -> None:
        """Nobody but this account has the address, in another spelling either: two who come with the same one at once
        are told apart by the row's own. Errors: ``conflict``.
        """
        taken = (await connection.execute(BY_MAIL, {"indices": self.indices(mail)})).all()
        if any(row.id != but for row in taken):
            raise DomainError("conflict")

    async def authenticate(self, mail: str, password: str) -> Practitioner | None:
        """The practitioner whose address and password these are. An unknown address costs the same work."""
        row = await self._by_mail(mail)
        practitioner_id = NOBODY if row is None else row.id
        key, known = await self._people.key(practitioner_id)
        if row is None or not known:
            digest = open_password(key, NOBODY, await self._decoy_password(key))
        else:
            digest = self._people.password(key, row)
        right = await self._verify(digest, password)
        if row is None or not known or not right or await self._is_closing(row.id):
            return None
        if self._hasher.check_needs_rehash(digest):
            await self._store_password(row.id, key, password)
        return self._people.profile(key, row)

    async def get(self, scope: Scope) -> Practitioner:
        """Whose scope it is. Errors: ``not_found``, ``unreadable``."""
        practitioner_id = scope.owner
        rows = await self._database.ask(ROW, {"wanted": practitioner_id})
        if not rows:
            self._people.gone(practitioner_id)
            raise DomainError("not_found")
        return self._people.profile(await self._key(practitioner_id), rows[0])

    async def by_mail(self, scope: Scope, mail: str) -> Practitioner | None:
        """The practitioner with this address. Errors: ``unreadable``, ``not_found`` (the scope)."""
        scope.demand("operator", "server")
        row = await self._by_mail(mail)
        if row is None:
            return None
        key, known = await self._people.key(row.id)
        return self._people.profile(key, row) if known else None

    async def id_by_mail(self, scope: Scope, mail: str) -> str | None:
        """Whose address this is, also where the account cannot be read. Errors: ``not_found`` (the scope)."""
        scope.demand("operator", "server")
        row = await self._by_mail(mail)
        return None if row is None else str(row.id)

    async def rename(self, scope: Scope, display_name: str, language: Language, version: int) -> Practitioner:
        """Another name or language, of an account that nobody changed since this version.

        Errors: ``invalid``, ``conflict``, ``not_found``, ``unreadable``.
        """
        name = named(display_name, "display_name", MAX_NAME)
        if language not in get_args(Language):
            raise DomainError("invalid", "language")
        practitioner_id = scope.owner
        key = await self._key(practitioner_id)
        async with self._database.write() as connection:
            row = await self._row(connection, practitioner_id, lock=True)
            person = self._people.profile(key, row)
            if person.version != version:
                raise DomainError("conflict")
            changed = replace(person, display_name=name, language=language, version=version + 1)
            values = {"profile": seal_profile(key, changed), "version": changed.version}
            await connection.execute(update(practitioners).where(practitioners.c.id == practitioner_id).values(values))
            return changed

    async def set_password(
        self, scope: Scope, password: str, along: Along | None = None, demand: Allowed | None = None
    ) -> bool:
        """Another password, which makes links to a new one and of a change of address void; False where ``demand`` is
        not met then.

        ``along`` writes more with it. Errors: ``invalid`` (its length), ``password_common``, ``not_found``,
        ``unreadable``.
        """
        if len(password) not in PASSWORD_LENGTH:
            raise DomainError("invalid", "password")
        person = await self.get(scope)
        if await asyncio.to_thread(is_common, password, (person.mail, person.display_name)):
            raise DomainError("password_common")
        if await self._is_closing(person.id):
            raise DomainError("not_found")
        sealed = seal_password(await self._key(person.id), person.id, await self._hash(password))

        async def change(connection: AsyncConnection) -> bool:
            if demand is not None and not await demand(connection):
                return False
            for links in (resets, mail_changes):
                await connection.execute(delete(links).where(links.c.practitioner == person.id))
            mine = update(practitioners).where(practitioners.c.id == person.id)
            return (await connection.execute(mine.values(password=sealed))).rowcount == 1

        if along is not None:
            return await along(change)
        async with self._database.write() as connection:
            return await change(connection)

    async def preview_retention(self, scope: Scope, setting: Retention) -> int:
        """How many living appointments this setting destroys within 60 s. Errors: ``not_found``, ``invalid``."""
        self._check_retention(setting)
        practitioner_id = scope.owner
        async with self._database.read() as connection:
            await self._row(connection, practitioner_id)
            return await self._planned.preview(connection, practitioner_id, setting)

    async def set_retention(self, scope: Scope, setting: Retention) -> int:
        """Set it and recompute all living appointments in one transaction; the same number as the preview.

        Errors: ``not_found``, ``invalid``, ``unreadable``, ``not_allowed`` (longer than the organisation's cap).
        """
        self._check_retention(setting)
        practitioner_id = scope.owner
        key = await self._key(practitioner_id)
        async with self._database.write() as connection:
            row = await self._row(connection, practitioner_id, lock=True)
            await self._planned.demand_allowed(connection, practitioner_id, setting)
            changed = replace(self._people.profile(key, row), retention=setting, version=row.version + 1)
            values = {"profile": seal_profile(key, changed), "version": changed.version}
            await connection.execute(update(practitioners).where(practitioners.c.id == practitioner_id).values(values))
            return await self._planned.follow(connection, practitioner_id, setting)

    async def reschedule_all(self, scope: Scope) -> None:
        """Recompute the due times of everybody's living appointments. Errors: ``not_found`` (the scope)."""
        scope.demand("server")
        async with self._database.read() as connection:
            ids = (await connection.execute(select(practitioners.c.id))).scalars().all()
        for practitioner_id in ids:
            try:
                await self._reschedule(practitioner_id)
            except DomainError as error:
                if error.code not in PASSED_OVER:
                    raise
                logger.exception("a practitioner cannot be read; see docs/operations.md")

    async def reschedule_behind(self, scope: Scope) -> None:
        """Recompute what another server could not, because a newer one than it had written that.

        Errors: ``not_found`` (the scope).
        """
        scope.demand("server")
        async with self._database.read() as connection:
            accounts = await accounts_behind(connection)
        for practitioner_id in accounts:
            try:
                await self._reschedule(practitioner_id)
            except DomainError as error:
                if error.code not in PASSED_OVER:
                    raise

    async def _reschedule(self, practitioner_id: str) -> None:
        key = await self._key(practitioner_id)
        async with self._database.write() as connection:
            row = await self._row(connection, practitioner_id, lock=True)
            await self._planned.follow(connection, practitioner_id, self._people.profile(key, row).retention)

    async def _row(self, connection: AsyncConnection, practitioner_id: str, *, lock: bool = False) -> Row[Any]:
        query = select(practitioners).where(practitioners.c.id == practitioner_id)
        row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
        if row is None:
            self._people.gone(practitioner_id)
            raise DomainError("not_found")
        return row

    async def _by_mail(self, mail: str) -> Row[Any] | None:
        known = self.indices(mail)
        rows = await self._database.ask(BY_MAIL, {"indices": known})
        return min(rows, key=lambda row: known.index(row.mail), default=None)

    async def _is_closing(self, practitioner_id: str) -> bool:
        return bool(await self._database.ask(closing(practitioner_id)))

    async def _key(self, practitioner_id: str) -> bytes:
        key, known = await self._people.key(practitioner_id)
        if not known:
            raise DomainError("not_found")
        return key

    def _check(self, person: Practitioner, password: str) -> None:
        local, at, domain = person.mail.rpartition("@")
        if not (local and at and domain) or len(person.mail) > MAX_MAIL or not person.mail.isprintable():
            raise DomainError("invalid", "mail")
        named(person.display_name, "display_name", MAX_NAME)
        if person.language not in get_args(Language):
            raise DomainError("invalid", "language")
        if len(password) not in PASSWORD_LENGTH:
            raise DomainError("invalid", "password")
        self._check_retention(person.retention)

    def _check_retention(self, setting: str) -> None:
        if setting not in RETENTION:
            raise DomainError("invalid", "retention")

    # --- passwords ---------------------------------------------------------------------------------------------------

    async def _hash(self, password: str) -> str:
        async with self._hashing:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def _verify(self, digest: str, password: str) -> bool:
        async with self._hashing:
            try:
                return await asyncio.to_thread(self._hasher.verify, digest, password)
            except (VerificationError, InvalidHashError):
                return False

    async def _decoy_password(self, key: bytes) -> bytes:
        if self._decoy is None:
            self._decoy = seal_password(key, NOBODY, await self._hash(new_id()))
        return self._decoy

    async def _store_password(self, practitioner_id: str, key: bytes, password: str) -> None:
        sealed = seal_password(key, practitioner_id, await self._hash(password))
        async with self._database.write() as connection:
            await connection.execute(
                update(practitioners).where(practitioners.c.id == practitioner_id).values(password=sealed)
            )
