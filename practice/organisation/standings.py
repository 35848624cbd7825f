"""Who somebody is in their organisation, asked for at everything that they do."""

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import bindparam, select

from practice.accounts.records import sessions
from practice.accounts.sessions import Sessions
from practice.organisation.model import Member, Standing
from practice.organisation.records import MEMBERS, members
from vault.database.database import Database
from vault.errors import DomainError, Gone
from vault.records.reading import Reader

KEPT = 4096
MOMENT = 2.0
"""Seconds for which a socket, of which many ask at once, may believe what was read before."""

OF_ACCOUNT = select(members).where(members.c.account == bindparam("account"), MEMBERS.is_living)
SIGNED_IN = select(sessions, *members.c).outerjoin_from(
    sessions, members, (members.c.account == sessions.c.practitioner) & MEMBERS.is_living
)
"""A session, and the member whose it is: one round trip."""


class Standings:
    """Rows are read anew each time, so a change of roles counts at once. What is kept is how one opened: the same bytes
    say the same again, without asking the key store.
    """

    def __init__(
        self, database: Database, reader: Reader, signed_in: Sessions, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._reader = reader
        self._sessions = signed_in
        self._clock = clock
        self._opened: dict[str, tuple[Any, Member]] = {}
        self._recent: dict[str, tuple[float, Standing | None]] = {}

    async def of(self, account: str) -> Standing | None:
        """Of an account; None where it is deactivated. Errors: ``unreadable``, ``locked``, ``try_again``."""
        rows = await self._database.ask(OF_ACCOUNT, {"account": account})
        return await self._judge(account, rows[0] if rows else None)

    async def signed_in(self, token: str) -> Standing | None:
        """Of whose session this is, if it lives and they are not deactivated; that counts as use. Errors: the same."""
        row = await self._sessions.found(token, SIGNED_IN)
        return None if row is None else await self._judge(str(row.practitioner), None if row.id is None else row)

    async def recent(self, account: str) -> Standing | None:
        """Of an account, as it was a moment ago; where nobody can say, as it was when somebody last could."""
        known = self._recent.get(account)
        if known is not None and self._clock() - known[0] < MOMENT:
            return known[1]
        try:
            return await self.of(account)
        except DomainError as error:
            if known is None or error.code != "try_again":
                raise
            return known[1]

    async def _judge(self, account: str, row: Any) -> Standing | None:
        """By its member's row, None where there is none."""
        try:
            member = None if row is None else await self._member(row)
        except Gone:
            standing = None
        else:
            active = member is None or member.active
            standing = (
                (Standing(account, member.owner, member.roles) if member else Standing(account)) if active else None
            )
        if len(self._recent) >= KEPT:
            self._recent.clear()
        self._recent[account] = (self._clock(), standing)
        return standing

    async def _member(self, row: Any) -> Member:
        bytes_of = (row.owner, row.account, row.content)
        known = self._opened.get(row.id)
        if known is not None and known[0] == bytes_of:
            return known[1]
        member, _ = await self._reader.one(MEMBERS, row)
        if len(self._opened) >= KEPT:
            self._opened.clear()
        self._opened[row.id] = (bytes_of, member)
        return member
