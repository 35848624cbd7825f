"""Telling everybody in an organisation of a service notice: one account after another, each once.

**Exactly once each**: the notice to an account is written in the transaction that says how far the circular is, so
whoever is cut off goes on behind it, and of two servers one does each step. Nobody's objection stops one: it is about
the service that somebody uses, and has no appointment in it (S-23).
"""

import asyncio
import logging
from contextlib import suppress
from typing import Final

from practice.circulars.model import Circular
from practice.notices.model import News
from practice.storage import Store
from signaling.scopes import of_practitioner
from vault.errors import DomainError, Unreadable

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 5.0


class ServiceNotices:
    """Of this node."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._released = asyncio.Event()

    def released(self) -> None:
        """There is one; it is looked after at once."""
        self._released.set()

    async def run(self) -> None:
        """Until cancelled. Faults are logged and tried again."""
        while True:
            self._released.clear()
            try:
                await self.round()
            except Exception:
                logger.exception("a service notice could not be looked after and is tried again")
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._released.wait()

    async def round(self) -> None:
        """Tell everybody of what was released. Errors: DomainError."""
        for circular in await self._store.circulars.under_way("service"):
            await self._tell(circular)

    async def _tell(self, circular: Circular) -> None:
        """Those who have not been told; where another server is at it, it goes on."""
        for account in await self._store.circulars.to_be_told(circular):
            news = await self._news(circular, account)
            if news is None:
                continue
            along = self._store.notices.of(account, news)
            reached = await self._store.circulars.reach(circular, account, along)
            if reached is None:
                return
            circular = reached
        await self._store.circulars.count(circular, ended=True)

    async def _news(self, circular: Circular, account: str) -> News | None:
        """What an account is told, None where nobody may sign in with it or it cannot be read."""
        try:
            if await self._store.organisation.standing(account) is None:
                return None
            person = await self._store.practitioners.get(of_practitioner(account))
        except Unreadable:
            return None
        except DomainError as error:
            if error.code != "not_found":
                raise
            return None
        return News("service", person.mail, person.language, {"topic": str(circular.topic)})
