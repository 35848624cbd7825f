"""Versions of what people agree to, kept for as long as the organisation, and who agreed to which (S-01).

A version is known by a hash of what it says: whoever agreed to that text agreed, however often it comes back. Documents
are the organisation's, acceptances the account's, and end with it.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import bindparam
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.model import Language
from practice.accounts.people import is_open
from practice.agreements.model import EXPECTED, Acceptance, Agreed, Document, DocumentName
from practice.agreements.records import ACCEPTANCES, DOCUMENT_VERSIONS, acceptances, documents
from practice.organisation.records import takes_members
from vault.errors import DomainError
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.stores import RecordStore

MARK_CHARACTERS: Final = 16
PROCESSED_FOR: Final = frozenset({"practitioner", "owner"})
"""The roles for whom somebody else processes: they agree to how."""

THEIRS: Final = DOCUMENT_VERSIONS.living().where(documents.c.owner == bindparam("organisation"))
OWN: Final = ACCEPTANCES.living().where(acceptances.c.owner == bindparam("account"))


class Agreements(RecordStore):
    """``store.agreements``. Errors of all: ``not_found`` (no organisation), ``locked``, ``try_again``."""

    async def put_forward(self, scope: Scope, name: DocumentName, texts: Mapping[Language, str]) -> Document:
        """This is what the document says from now on; what it said already is not put forward again."""
        organisation, mark = _organisation(scope), marked(texts)
        made = Document(new_id(), organisation, name, mark, self._now(), texts)

        async def is_new(connection: AsyncConnection) -> bool:
            if not await takes_members(connection, organisation):
                return False
            rows = (await connection.execute(THEIRS, {"organisation": organisation})).all()
            newest = _newest((await self._reader.open(DOCUMENT_VERSIONS, rows)).living, name)
            return newest is None or newest.mark != mark

        newest = _newest(await self._versions(organisation), name)
        if newest is not None and newest.mark == mark:
            return newest
        if await self._writer.first(DOCUMENT_VERSIONS, made, is_new):
            return made
        newest = _newest(await self._versions(organisation), name)
        if newest is None:
            raise DomainError("not_found")
        return newest

    async def versions(self, scope: Scope) -> list[Document]:
        """All that ever stood there, newest first."""
        return sorted(await self._versions(_organisation(scope)), key=lambda one: one.since, reverse=True)

    async def of(self, scope: Scope) -> list[Agreed]:
        """How somebody stands to each document that is put before people in their roles."""
        organisation, owner = _organisation(scope), scope.owner
        rows = await self._database.ask(OWN, {"account": owner})
        accepted = {
            (one.name, one.mark): one.at
            for one in sorted((await self._reader.open(ACCEPTANCES, rows)).living, key=lambda one: one.at, reverse=True)
        }
        found = []
        for name in demanded(scope.roles):
            newest = _newest(await self._versions(organisation), name)
            if newest is not None:
                at = accepted.get((name, newest.mark))
                found.append(Agreed(newest, at, late=at is None and self._now() >= newest.since + EXPECTED))
        return found

    async def accept(self, scope: Scope, name: DocumentName, mark: str) -> Acceptance:
        """Somebody agrees to what a document says now. Again is no other thing.

        Errors: ``conflict`` (it says something else meanwhile), ``not_found`` (also: it is not put before them, or the
        account is closing).
        """
        owner = scope.owner
        one = next((one for one in await self.of(scope) if one.document.name == name), None)
        if one is None:
            raise DomainError("not_found")
        if one.document.mark != mark:
            raise DomainError("conflict")
        made = Acceptance(new_id(), owner, name, mark, one.document.since, one.accepted or self._now())

        async def is_first(connection: AsyncConnection) -> bool:
            return await is_open(connection, owner)

        if one.accepted is None and not await self._writer.first(ACCEPTANCES, made, is_first):
            raise DomainError("not_found")
        return made

    async def _versions(self, organisation: str) -> list[Document]:
        rows = await self._database.ask(THEIRS, {"organisation": organisation})
        return (await self._reader.open(DOCUMENT_VERSIONS, rows)).living


def demanded(roles: Collection[str]) -> list[DocumentName]:
    """What is put before somebody in these roles."""
    return ["statement"] if PROCESSED_FOR.isdisjoint(roles) else ["statement", "processing"]


def marked(texts: Mapping[Language, str]) -> str:
    """What a version is known by."""
    whole = json.dumps({language: texts[language] for language in sorted(texts)}, ensure_ascii=False)
    return hashlib.sha256(whole.encode()).hexdigest()[:MARK_CHARACTERS]


def _organisation(scope: Scope) -> str:
    scope.demand("practitioner")
    if scope.organisation is None:
        raise DomainError("not_found")
    return scope.organisation


def _newest(found: Collection[Document], name: DocumentName) -> Document | None:
    return max((one for one in found if one.name == name), key=lambda one: (one.since, one.id), default=None)
