"""Which browsers of a practitioner are told that somebody waits: those that asked for it, until they sign out."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from operator import attrgetter
from typing import Final

from sqlalchemy import ColumnElement, bindparam
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.people import is_open
from practice.push_subscriptions.model import PushSubscription
from practice.push_subscriptions.records import PUSH_SUBSCRIPTIONS, hashed, push_subscriptions
from vault.errors import DomainError
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.stores import RecordStore
from vault.records.writing import always

MOST: Final = 10
"""Browsers of one account; one more takes the place of that which was open least recently."""

KEPT: Final = timedelta(days=90)
"""A browser in which the desk was not open for so long is told nothing more."""

THEIRS: Final = PUSH_SUBSCRIPTIONS.living().where(push_subscriptions.c.owner == bindparam("owner"))
OF_BROWSER: Final = PUSH_SUBSCRIPTIONS.living().where(push_subscriptions.c.endpoint == bindparam("endpoint"))


class PushSubscriptions(RecordStore):
    """``store.push_subscriptions``. Errors of all: ``locked``, ``try_again``."""

    async def of(self, scope: Scope) -> list[PushSubscription]:
        """One's own that can be read, the one open last first."""
        rows = await self._database.ask(THEIRS, {"owner": scope.owner})
        found = (await self._reader.open(PUSH_SUBSCRIPTIONS, rows)).living
        return sorted(found, key=attrgetter("renewed"), reverse=True)

    async def subscribe(self, scope: Scope, endpoint: str, session: str) -> PushSubscription:
        """From now on this browser is told; whose it was before is not.

        Errors: ``conflict`` (it asks twice at the same moment), ``not_found`` (the account is closing).
        """
        self._reserve.require()
        made = PushSubscription(new_id(), scope.owner, endpoint, session, self._now(), 1)
        mark = hashed(endpoint)
        too_many = [one.id for one in (await self.of(scope))[MOST - 1 :]]
        await self._mark((push_subscriptions.c.endpoint == mark) | push_subscriptions.c.id.in_(too_many))
        found: list[bool] = []

        async def first(connection: AsyncConnection) -> bool:
            found.append(await is_open(connection, made.owner))
            return found[-1] and (await connection.execute(OF_BROWSER, {"endpoint": mark})).first() is None

        if not await self._writer.first(PUSH_SUBSCRIPTIONS, made, first):
            raise DomainError("conflict" if found and found[-1] else "not_found")
        return made

    async def renew(self, scope: Scope, endpoint: str, session: str) -> bool:
        """Its desk is open in this session, with which it dies from now on; False where it is none of one's own."""
        one = await self._find(scope, endpoint)
        if one is None:
            return False
        now = replace(one, session=session, renewed=self._now(), version=one.version + 1)
        return await self._writer.instead(PUSH_SUBSCRIPTIONS, now, always)

    async def end(self, scope: Scope, endpoint: str) -> bool:
        """This browser is told nothing more; whether it was."""
        theirs = push_subscriptions.c.owner == scope.owner
        return await self._mark(theirs & (push_subscriptions.c.endpoint == hashed(endpoint))) > 0

    async def end_of(self, scope: Scope, sessions: Collection[str]) -> int:
        """Those that were renewed in these sessions, which end."""
        return await self._end([one for one in await self.of(scope) if one.session in sessions])

    async def keep_only(self, scope: Scope, session: str | None) -> int:
        """All but those of this session; also those that nobody can read."""
        kept = [one.id for one in await self.of(scope) if session is not None and one.session == session]
        return await self._mark((push_subscriptions.c.owner == scope.owner) & push_subscriptions.c.id.not_in(kept))

    async def bury(self) -> int:
        """Those of browsers that nobody uses any more die; how many."""
        return await self._mark(push_subscriptions.c.renewed <= int((self._now() - KEPT).timestamp()))

    async def _find(self, scope: Scope, endpoint: str) -> PushSubscription | None:
        return next((one for one in await self.of(scope) if one.endpoint == endpoint), None)

    async def _end(self, found: Collection[PushSubscription]) -> int:
        return await self._mark(push_subscriptions.c.id.in_([one.id for one in found])) if found else 0

    async def _mark(self, which: ColumnElement[bool]) -> int:
        count = await self._database.tell(PUSH_SUBSCRIPTIONS.marking().where(which, PUSH_SUBSCRIPTIONS.is_living))
        if count:
            self._sweep()
        return count
