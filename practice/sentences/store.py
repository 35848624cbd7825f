"""What a practitioner says to whoever waits: one sentence for each language, until it is taken back.

A kind of record (``vault.records.records``) without a due time: it lives as long as the account.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

from sqlalchemy import Row, Select, bindparam, insert, select, update

from practice.accounts.model import Language
from practice.accounts.people import People
from practice.accounts.records import practitioners
from practice.agenda.visit import Visit
from practice.names import readable
from practice.sentences.model import Said, Sentence
from practice.sentences.records import SENTENCES, seal_sentence, sentences
from vault.clock import Now
from vault.database.database import Database
from vault.database.marks import no_closing
from vault.errors import DomainError
from vault.keys.store import KeyStore
from vault.records.content import new_id
from vault.records.reading import Reader
from vault.records.scope import Scope
from vault.reserve import Reserve

MAX_TEXT = 300
TRIES = 5
ACCOUNT = (
    select(practitioners.c.id)
    .where(practitioners.c.id == bindparam("owner"), no_closing(practitioners.c.id))
    .with_for_update(of=practitioners)
)
"""Who writes sentences of one account waits for whoever writes others, and for its end."""


class Sentences:
    """``store.sentences``. Taking one back is ``store.retention.destroy``."""

    def __init__(
        self, database: Database, keys: KeyStore, reader: Reader, people: People, now: Now, reserve: Reserve
    ) -> None:
        self._database = database
        self._keys = keys
        self._reader = reader
        self._people = people
        self._now = now
        self._reserve = reserve

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
        text = _text(text)
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
        owner = sentence.owner
        _, there = await self._people.key(owner)
        if not there:
            raise DomainError("not_found")
        key = await self._keys.add(owner, sentence.id, self._now())
        async with self._database.write() as connection:
            account = (await connection.execute(ACCOUNT, {"owner": owner})).one_or_none()
            unchanged = _versions((await connection.execute(_living(owner))).all()) == _versions(seen)
            if account is not None and unchanged:
                await connection.execute(insert(sentences).values(seal_sentence(key, sentence)))
        if account is None or not unchanged:
            await self._keys.discard([sentence.id])
            if account is None:
                raise DomainError("not_found")
            return None
        # A server that does not know this table must not take the key for one whose row never came.
        await self._keys.confirm([sentence.id])
        return sentence

    async def _instead(self, sentence: Sentence) -> Sentence | None:
        """The row anew, unless it changed meanwhile."""
        key, there = await self._keys.get(sentence.owner, sentence.id)
        if not there:
            return None
        unchanged = (sentences.c.id == sentence.id, sentences.c.version == sentence.version - 1, SENTENCES.is_living)
        values = seal_sentence(key, sentence)
        async with self._database.write() as connection:
            if (await connection.execute(ACCOUNT, {"owner": sentence.owner})).one_or_none() is None:
                raise DomainError("not_found")
            done = await connection.execute(update(sentences).where(*unchanged).values(values))
        return sentence if done.rowcount == 1 else None

    async def _opened(self, rows: Sequence[Row[Any]]) -> Said:
        opened = await self._reader.open(SENTENCES, rows)
        return Said(sorted(opened.living, key=lambda one: one.language), opened.damaged)


def _living(owner: str) -> Select[Any]:
    return SENTENCES.living().where(sentences.c.owner == owner).order_by(sentences.c.id)


def _versions(rows: Sequence[Row[Any]]) -> list[tuple[str, int]]:
    return [(row.id, row.version) for row in rows]


def _text(text: str) -> str:
    try:
        text = readable(text)
    except ValueError:
        raise DomainError("invalid", "text") from None
    if len(text) > MAX_TEXT:
        raise DomainError("invalid", "text")
    return text
