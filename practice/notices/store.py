"""Notices as they are stored: written with their cause, and gone when they are delivered or a day old.

**In the transaction of the cause or not at all**: who reads that a password was changed can rely on it, and a server
that is cut off in between neither forgets to tell nor tells what did not happen. Without a mail server none is written,
nor about an account that is being closed. What is delivered, or has become void, is marked; the sweep does the other
three steps of destroying.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final

from sqlalchemy import ColumnElement, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.people import is_open
from practice.notices.model import News, Notice
from practice.notices.records import NOTICES, milliseconds, notices
from practice.organisation.records import takes_members
from vault.records.content import new_id
from vault.records.stores import Means, RecordStore
from vault.records.writing import Allowed, Along, always

LIFE: Final = timedelta(days=1)
FIRST_WAIT: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(hours=1)
AT_ONCE: Final = 200


class Notices(RecordStore):
    """``store.notices``. ``on``: whether there is a mail server; ``written`` is set when there is something to send."""

    def __init__(self, means: Means, *, on: bool) -> None:
        super().__init__(means)
        self.on = on
        self.written = asyncio.Event()

    async def along(self, owner: str, news: Sequence[News], cause: Allowed) -> bool:
        """Carry out the cause and write down the news of it, all or nothing; whether that was. Errors: DomainError.

        ``owner`` is the account that they are about, or the organisation where whoever is told has none yet.
        """
        now = self._now()
        written = [Notice(new_id(), owner, one, now, 0, now, 1) for one in news] if self.on else []
        ids = [one.id for one in written]
        rows = [NOTICES.seal(await self._keys.add(owner, one.id, now), one) for one in written]
        async with self._database.write() as connection:
            done = await cause(connection)
            told = bool(done and rows and await _is_open(connection, owner))
            if told:
                await connection.execute(insert(notices), rows)
        if not told:
            await self._keys.discard(ids)
        else:
            # A server that does not know this table must not take the keys for some whose row never came.
            await self._keys.confirm(ids)
            self.written.set()
        return done

    def of(self, owner: str, *news: News) -> Along:
        """The same, for whoever has the change."""
        return partial(self.along, owner, news)

    async def waiting(self) -> list[Notice]:
        """What is to be sent, in the order of the causes; what cannot be read dies by its age."""
        query = NOTICES.living().order_by(notices.c.written, notices.c.id).limit(AT_ONCE)
        rows = await self._database.ask(query)
        return (await self._reader.open(NOTICES, rows)).living

    async def any(self) -> bool:
        """Whether there is something to send, or to forget."""
        return bool(await self._database.ask(select(notices.c.id).where(NOTICES.is_living).limit(1)))

    async def any_of(self, owners: Collection[str]) -> bool:
        """Whether something is still to be sent to one of these."""
        query = select(notices.c.owner).where(NOTICES.is_living).distinct()
        return not {row.owner for row in await self._database.ask(query)}.isdisjoint(owners)

    async def later(self, notice: Notice) -> None:
        """It did not go and is tried again, each time after twice as long."""
        wait = min(FIRST_WAIT * 2**notice.tries, LONGEST_WAIT)
        changed = replace(notice, tries=notice.tries + 1, again=self._now() + wait, version=notice.version + 1)
        await self._writer.instead(NOTICES, changed, always)

    async def done(self, notice: Notice) -> None:
        """It is the mail server's now, or nobody's: it dies."""
        await self._mark(notices.c.id == notice.id)

    async def bury(self) -> int:
        """Those that are a day old die; how many."""
        return await self._mark(notices.c.written <= milliseconds(self._now() - LIFE))

    async def _mark(self, which: ColumnElement[bool]) -> int:
        count = await self._database.tell(NOTICES.marking().where(which, NOTICES.is_living))
        if count:
            self._sweep()
        return count


async def _is_open(connection: AsyncConnection, owner: str) -> bool:
    """Whether there is such an account that is not being closed, or such an organisation."""
    return await is_open(connection, owner) or await takes_members(connection, owner)
