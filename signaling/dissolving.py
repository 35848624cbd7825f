"""Closing an organisation: everybody is told by mail, then all accounts are closed, then it is.

By one server at a time, which goes on where another stopped. **Mail that does not go holds nothing up for longer than
ten minutes**; whoever goes on after a cut tells everybody once more.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from practice.notices.model import News
from practice.organisation.ending import Ending
from practice.storage import Store
from signaling.scopes import of_owner, of_practitioner
from vault.database.leases import Lease
from vault.errors import DomainError
from vault.keys.receipt import Receipt
from vault.records.writing import always

logger = logging.getLogger(__name__)

AT_MOST: Final = timedelta(minutes=10)
TERM: Final = timedelta(minutes=2)
LOOK_SECONDS, NEXT_SECONDS, SOON_SECONDS = 30.0, 1.0, 0.2


class Dissolving:
    """Of this node."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._lease = Lease(store.database, "dissolving", store.lease.holder, TERM, now)
        self._told: set[str] = set()
        self._begun = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled. Faults are logged and tried again."""
        while True:
            self._begun.clear()
            under_way = True
            try:
                under_way = await self.look()
            except Exception:
                logger.exception("an organisation could not be closed; it is tried again")
            with suppress(TimeoutError):
                async with asyncio.timeout(NEXT_SECONDS if under_way else LOOK_SECONDS):
                    await self._begun.wait()

    def begun(self) -> None:
        """There is one; it is looked after at once."""
        self._begun.set()

    async def ended(self, organisation: str, seconds: float) -> Receipt | None:
        """It was begun: the receipt of its key, None where it takes longer than that."""
        self.begun()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while (receipt := await self._store.endings.receipt(organisation)) is None:  # noqa: ASYNC110 -- another server may end it
                    await asyncio.sleep(SOON_SECONDS)
                return receipt
        return None

    async def look(self) -> bool:
        """The next step of each that was begun; whether there is one. Errors: DomainError."""
        under_way = await self._store.endings.under_way()
        for ending in under_way:
            if not await self._lease.take():
                return True
            if ending.organisation not in self._told:
                await self._tell(ending)
            elif self._now() >= ending.since + AT_MOST or not await self._store.notices.any_of(ending.accounts):
                await self._close(ending)
        return bool(under_way)

    async def _tell(self, ending: Ending) -> None:
        for account in ending.accounts:
            with suppress(DomainError):  # who cannot be read has no address
                person = await self._store.practitioners.get(of_practitioner(account))
                news = News("organisation-ends", person.mail, person.language)
                await self._store.notices.along(account, [news], always)
        self._told.add(ending.organisation)

    async def _close(self, ending: Ending) -> None:
        """The accounts, and when the last of them is gone, which may wait for a consult, the organisation."""
        for account in ending.accounts:
            await self._store.retention.close(of_practitioner(account))
        if await self._store.endings.is_last(ending.organisation):
            await self._store.retention.close(of_owner(ending.organisation))
            await self._store.endings.done()
            logger.info("an organisation was closed")
