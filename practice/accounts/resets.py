"""Forgotten passwords: what was mailed opens the way to a new one, once, for an hour.

**Who reads the database or the mails to be sent can make no link**: a row holds a keyed hash of the link's token, the
mail that is written down only a seed, and it takes the key store to get from one to the other. A link destroys
nothing, and what is asked for beside the password still is.
"""

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.links import MailedLinks
from practice.accounts.model import Practitioner
from practice.accounts.records import resets, sessions
from vault.records.scope import Scope
from vault.records.writing import Allowed, Along

LIFE: Final = timedelta(hours=1)
MOST: Final = 5
"""So many links of one account are good at once; who asks once more gets none."""

Tell = Callable[[Practitioner, str], Along]
"""The mail with a seed to somebody, to be written in the transaction of what it is about."""


class Resets(MailedLinks):
    """``store.resets``."""

    life = LIFE
    mark = "row"

    async def ask(self, scope: Scope, mail: str, tell: Tell) -> Practitioner | None:
        """Somebody wants a new password for this address: who is told, None where nobody is.

        Errors: ``not_found`` (the scope), ``unreadable``.
        """
        person = await self._accounts.by_mail(scope, mail)
        if person is None:
            return None
        seed = secrets.token_urlsafe(16)
        row = {"token": self._index(self.token(seed)), "practitioner": person.id, "created": self._seconds()}
        living = select(func.count()).where(resets.c.practitioner == person.id, resets.c.created > self._oldest())

        async def asked(connection: AsyncConnection) -> bool:
            if (await connection.execute(living)).scalar_one() >= MOST:
                return False
            await connection.execute(insert(resets).values(row))
            return True

        return person if await tell(person, seed)(asked) else None

    async def whose(self, token: str) -> str | None:
        """Whose password a link with it would change now; looking changes nothing."""
        rows = await self._database.ask(select(resets.c.practitioner).where(*self._good(token)))
        return rows[0].practitioner if rows else None

    def using(self, token: str) -> Allowed:
        """What is true once, while the link is good: all sessions of the account end with it."""

        async def used(connection: AsyncConnection) -> bool:
            gone = delete(resets).where(*self._good(token)).returning(resets.c.practitioner)
            owners = (await connection.execute(gone)).scalars().all()
            await connection.execute(delete(sessions).where(sessions.c.practitioner.in_(owners)))
            return bool(owners)

        return used

    async def purge(self) -> None:
        """Forget those that are too old."""
        await self._database.tell(delete(resets).where(resets.c.created <= self._oldest()))

    def _good(self, token: str) -> tuple[ColumnElement[bool], ...]:
        return resets.c.token == self._index(token), resets.c.created > self._oldest()
