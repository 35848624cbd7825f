"""Sign-in sessions: the database knows a keyed hash of a token, never the token.

**Who can only write to the database signs nobody in**: a row needs the hash of its token under a key of the key store,
and a token says whose it is, so that a row which is turned over to another practitioner is nobody's. How strongly a
session was begun is a keyed hash too, of the token and a word.
"""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Any, Final, Literal, get_args

from sqlalchemy import Row, Select, bindparam, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.model import OpenSession
from practice.accounts.records import sessions
from vault.clock import Now
from vault.database.database import Database
from vault.database.marks import accounts_out, forget_out
from vault.keys.store import KeyStore
from vault.records.scope import Scope
from vault.records.writing import Along

Strength = Literal["password", "factors", "passkey"]
"""With what a session was begun: a password (or the demo's link) alone, two factors, or a passkey, which counts as two
for it knows its person, and as a password too for those who have none.
"""

SETTING_UP: Final = "set-up"
"""Marks the token of who may set up a second factor and do nothing else: to all others it is no session."""

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
TOUCH = timedelta(minutes=1)  # a write per request would be a flush per request
JUST = timedelta(minutes=10)
"""So long whoever signed in with two factors is not asked for one again."""

KEPT = 2 * IDLE
"""An idle session is dead at once but forgotten later: an open page may be about to say that it is not idle, after a
database that was away."""

EXPIRED = or_(sessions.c.used <= bindparam("used_until"), sessions.c.created <= bindparam("created_until"))
"""Whether a row is of no use to anybody any more; with ``Sessions.bounds``."""


class Sessions:
    """``store.sessions``. Idle 30 minutes, absolute 12 hours. Errors: ``locked``.

    What is not the token but stands for it elsewhere is its ``reference``: good for saying that a session is in use,
    and for nothing else.
    """

    expired = EXPIRED

    def __init__(self, database: Database, keys: KeyStore, now: Now) -> None:
        self._database = database
        self._keys = keys
        self._now = now

    async def create(self, practitioner_id: str, strength: Strength = "password", along: Along | None = None) -> str:
        """A new session's token: whose it is, and 256 random bits. ``along`` writes more beside its row."""
        token = f"{practitioner_id}.{secrets.token_urlsafe(32)}"
        await self._insert(token, practitioner_id, along, strength=self._mark(token, strength))
        return token

    async def create_for_set_up(self, practitioner_id: str) -> str:
        """The token of who has to set up a second factor first."""
        token = f"{practitioner_id}.{secrets.token_urlsafe(32)}"
        await self._insert(_setting_up(token), practitioner_id)
        return token

    async def strength(self, token: str) -> Strength:
        """How a session was begun; ``password`` where an older server did, or nobody can tell."""
        query = select(sessions.c.strength).where(sessions.c.token == self._keys.session_index(token))
        marks = [row.strength for row in await self._database.ask(query) if isinstance(row.strength, bytes)]
        found = (one for one in get_args(Strength) for mark in marks if compare_digest(mark, self._mark(token, one)))
        return next(found, "password")

    async def just_proved(self, token: str) -> bool:
        """Whether it was begun with two factors, and a moment ago."""
        return await self._just(token, {"factors", "passkey"})

    async def by_passkey(self, token: str) -> bool:
        """Whether it was begun with a passkey, and a moment ago."""
        return await self._just(token, {"passkey"})

    async def _just(self, token: str, strengths: Collection[Strength]) -> bool:
        query = select(sessions.c.created).where(sessions.c.token == self._keys.session_index(token))
        began = [row.created for row in await self._database.ask(query) if type(row.created) is int]
        fresh = any(0 <= self._seconds() - one < JUST.total_seconds() for one in began)
        return fresh and await self.strength(token) in strengths

    async def setting_up(self, token: str) -> str | None:
        """Who may set up a second factor with this token."""
        return await self.practitioner(_setting_up(token))

    async def practitioner(self, token: str) -> str | None:
        """Whose session this is, if it lives; that counts as use."""
        row = await self.found(token, select(sessions))
        return None if row is None else str(row.practitioner)

    async def found(self, token: str, query: Select[Any]) -> Row[Any] | None:
        """What a query on sessions, and on what else it joins, gives for this one, if it lives; that counts as use."""
        now, owner = self._seconds(), token.partition(".")[0]
        ours = (sessions.c.token == self._keys.session_index(token), sessions.c.practitioner == owner)
        row = next(iter(await self._database.ask(query.where(*ours))), None)
        if row is None or not _fresh(row.created, row.used, now):
            return None
        if now - row.used >= TOUCH.total_seconds():
            await self._database.tell(update(sessions).where(sessions.c.token == row.token).values(used=now))
        return row

    def reference(self, token: str) -> str:
        """What a ticket may carry of a session."""
        return _reference(self._keys.session_index(token))

    def form_token(self, token: str) -> str:
        """What a form holds that this session may send: of no use to who reads a ticket or the database."""
        return _reference(self._keys.form_mark(token))

    async def lives(self, reference: str) -> bool:
        """Whether this session is good now; that is no use of it."""
        now = self._seconds()
        fresh = (sessions.c.used > now - IDLE.total_seconds(), sessions.c.created > now - ABSOLUTE.total_seconds())
        query = select(sessions.c.token).where(sessions.c.token == _index(reference), *fresh)
        return bool(await self._database.ask(query))

    async def use(self, references: Iterable[str]) -> frozenset[str]:
        """Something that was open all the time is use of these sessions, however long nobody could say so.

        Returns those that have ended: signed out, or begun twelve hours ago.
        """
        indexes, now = {_index(one): one for one in references}, self._seconds()
        good = (sessions.c.token.in_(indexes), sessions.c.created > now - ABSOLUTE.total_seconds())
        async with self._database.write() as connection:
            await connection.execute(update(sessions).where(*good).values(used=now))
            living = set((await connection.execute(select(sessions.c.token).where(*good))).scalars())
        return frozenset(reference for index, reference in indexes.items() if index not in living)

    async def of(self, scope: Scope) -> list[OpenSession]:
        """The practitioner's that live, the one last used first. Errors: ``not_found`` (the scope)."""
        now = self._seconds()
        query = select(sessions).where(sessions.c.practitioner == scope.owner).order_by(sessions.c.used.desc())
        return [
            OpenSession(_reference(row.token), _moment(row.created), _moment(row.used))
            for row in await self._database.ask(query)
            if _fresh(row.created, row.used, now)
        ]

    async def end_of(self, scope: Scope, references: Iterable[str]) -> None:
        """Sign out in these; those of others stay. Idempotent. Errors: ``not_found`` (the scope)."""
        theirs = (sessions.c.practitioner == scope.owner, sessions.c.token.in_(map(_index, references)))
        await self._database.tell(delete(sessions).where(*theirs))

    async def end(self, token: str) -> None:
        """Sign out; idempotent."""
        indexes = [self._keys.session_index(one) for one in (token, _setting_up(token))]
        await self._database.tell(delete(sessions).where(sessions.c.token.in_(indexes)))

    async def end_all(self, practitioner_id: str) -> None:
        """Sign out everywhere."""
        await self._database.tell(delete(sessions).where(sessions.c.practitioner == practitioner_id))

    async def ended_by_commands(self) -> list[str]:
        """Whose sessions a command ended that reaches no socket, ticket or app: their ids."""
        async with self._database.read() as connection:
            return await accounts_out(connection)

    async def ended_fully(self, practitioner_id: str) -> None:
        """The rest ended too."""
        async with self._database.write() as connection:
            await forget_out(connection, practitioner_id)

    def bounds(self) -> dict[str, float]:
        """What ``EXPIRED`` needs, in seconds since the Unix epoch."""
        now = self._seconds()
        return {"used_until": now - KEPT.total_seconds(), "created_until": now - ABSOLUTE.total_seconds()}

    async def purge(self) -> None:
        """Forget the expired ones."""
        async with self._database.write() as connection:
            await connection.execute(delete(sessions).where(EXPIRED), self.bounds())

    async def _insert(self, token: str, practitioner_id: str, along: Along | None = None, **more: bytes) -> None:
        now = self._seconds()
        row = {"token": self._keys.session_index(token), "practitioner": practitioner_id, "created": now, "used": now}

        async def begin(connection: AsyncConnection) -> bool:
            await connection.execute(insert(sessions), row | more)
            return True

        if along is None:
            await self._database.tell(insert(sessions), row | more)
        else:
            await along(begin)

    def _mark(self, token: str, strength: Strength) -> bytes:
        return self._keys.session_index(f"{token}|{strength}")

    def _seconds(self) -> int:
        return int(self._now().timestamp())


def _fresh(created: object, used: object, now: int) -> bool:
    """Whether a session lives that says this of itself; SQLite keeps any text in a column of numbers."""
    if type(created) is not int or type(used) is not int:
        return False
    return now - used < IDLE.total_seconds() and now - created < ABSOLUTE.total_seconds()


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _reference(index: bytes) -> str:
    return urlsafe_b64encode(index).rstrip(b"=").decode()


def _setting_up(token: str) -> str:
    """What stands for it in the database; whose it is comes first in it as in any."""
    return f"{token}|{SETTING_UP}"


def _index(reference: str) -> bytes:
    return urlsafe_b64decode(reference + "=" * (-len(reference) % 4))
