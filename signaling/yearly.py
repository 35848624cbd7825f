"""Reminding who keeps everything by hand, once a year (S-32): each server looks, and one of them writes."""

import asyncio
import logging
from typing import Final

from practice.accounts.model import Practitioner
from practice.notices.model import News
from practice.storage import Store
from vault.records.writing import Along

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 6 * 3600.0
FIRST_SECONDS: Final = 60.0
"""After a start, which has other things to do."""


class Yearly:
    """Of this node."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def run(self) -> None:
        """Until cancelled. Faults are logged and tried again."""
        await asyncio.sleep(FIRST_SECONDS)
        while True:
            try:
                await self.look()
            except Exception:
                logger.exception("nobody could be reminded of their retention; it is tried again")
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> int:
        """At every account; how many were reminded. Errors: DomainError."""
        spans = self._store.manual_spans
        return sum([await spans.look(account, self._told) for account in await spans.accounts()])

    def _told(self, person: Practitioner) -> Along:
        return self._store.notices.of(person.id, News("manual", person.mail, person.language))
