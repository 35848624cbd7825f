"""What a practitioner says to whoever waits: one sentence for each language, until it is taken back.

A kind of record (``vault.records.records``) without a due time: it lives as long as the account.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

from sqlalchemy import Row, Select
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.model import Language
from practice.accounts.people import People, is_open
from practice.agenda.visit import Visit
from practice.names import named
from practice.sentences.model import Said, Sentence
from practice.sentences.records import SENTENCES, sentences
from vault.errors import DomainError
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.stores import Means, RecordStore

MAX_TEXT = 300
TRIES = 5


class Sentences(RecordStore):
    """``store.sentences``. Taking one back is ``store.retention.destroy``."""

    def __init__(self, means: Means, people: People) -> None:
        super().__init__(means)
        self._people = people

    async def of(self, scope: Scope) -> Said:
        """All of the practitioner's."""
        return await self._of(scope.owner)

    async def for_waiting(self, scope: Scope, visit: Visit, language: Language) -> str | None:
        """What whoever came by this link reads while they wait, in this language. Errors: ``not_found``."""
        scope.demand("guest")
        if not scope.covers(visit.appointment.owner, visit.appointment.id):
            raise DomainError("not_found")
        said = await self._of(visit.appointment.owner)
        return next((one.text for one in said.sentences if one.language == language), None)

    async def say(self, scope: Scope, language: Language, text: str) -> Sentence:
        """Set the one for this language, on disk when this returns.

        Errors: ``invalid``, ``not_found`` (the account), ``try_again`` (also while the disk is nearly full).
        """
        owner = scope.owner
        text = named(text, "text", MAX_TEXT)
        if language not in get_args(Language):
            raise DomainError("invalid", "language")
        self._reserve.require()
        for _ in range(TRIES):
            rows = await self._database.ask(_living(owner))
            before = next((one for one in (await self._opened(rows)).sentences if one.language == language), None)
            if before is None:
                said = await self._first(Sentence(new_id(), owner, language, text, 1), rows)
            else:
                said = await self._instead(replace(before, text=text, version=before.version + 1))
            if said is not None:
                return said
        raise DomainError("try_again")

    async def _of(self, owner: str) -> Said:
        return await self._opened(await self._database.ask(_living(owner)))

    async def _first(self, sentence: Sentence, seen: Sequence[Row[Any]]) -> Sentence | None:
        """A new row, unless the owner's are not those that were seen any more."""
        _, there = await self._people.key(sentence.owner)
        if not there:
            raise DomainError("not_found")
        account = Account(sentence.owner)

        async def unchanged(connection: AsyncConnection) -> bool:
            rows = (await connection.execute(_living(sentence.owner))).all() if await account.open(connection) else []
            return not account.gone and _versions(rows) == _versions(seen)

        return account.demand(sentence if await self._writer.first(SENTENCES, sentence, unchanged) else None)

    async def _instead(self, sentence: Sentence) -> Sentence | None:
        """The row anew, unless it changed meanwhile."""
        account = Account(sentence.owner)
        return account.demand(sentence if await self._writer.instead(SENTENCES, sentence, account.open) else None)

    async def _opened(self, rows: Sequence[Row[Any]]) -> Said:
        opened = await self._reader.open(SENTENCES, rows)
        return Said(sorted(opened.living, key=lambda one: one.language), opened.damaged)


class Account:
    """Whose sentences are written: ``gone`` once it was found closed or closing, inside a transaction."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self.gone = False

    async def open(self, connection: AsyncConnection) -> bool:
        """Whether it is there; nobody else writes its sentences, or closes it, until the transaction ends."""
        self.gone = not await is_open(connection, self._owner)
        return not self.gone

    def demand(self, written: Sentence | None) -> Sentence | None:
        """What was written. Errors: ``not_found`` when the account is gone."""
        if self.gone:
            raise DomainError("not_found")
        return written


def _living(owner: str) -> Select[Any]:
    return SENTENCES.living().where(sentences.c.owner == owner).order_by(sentences.c.id)


def _versions(rows: Sequence[Row[Any]]) -> list[tuple[str, int]]:
    return [(row.id, row.version) for row in rows]
