"""Who forgot a password asks for a link, and learns nothing by it.

**The answer leaves before anybody looks whether there is an account**: what is asked for waits for the next full look,
apart from the request, so it takes the same time whoever asks and whatever comes of it.
"""

import asyncio
import logging
from functools import partial
from typing import Final

from practice.accounts.model import Practitioner
from practice.mailboxes import canonical
from practice.notices.model import News
from practice.storage import Store
from signaling.limiter import FORGOTTEN_ADDRESS, Limiter
from signaling.protocol.errors import ProtocolError, UserError
from signaling.scopes import of_server
from vault.audit import SERVER, Act, practitioner
from vault.records.writing import Along

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 2.0
MOST: Final = 100
"""Addresses that wait for a look; whoever comes when it is full tries again."""


class Forgotten:
    """Of this node. ``put`` is all that a request does."""

    def __init__(self, store: Store, limiter: Limiter) -> None:
        self._store = store
        self._limiter = limiter
        self._asked: list[str] = []

    def put(self, mail: str) -> None:
        """A new password is wanted for this address. Errors: ``try_again``."""
        if len(self._asked) >= MOST:
            raise UserError("try_again")
        self._asked.append(mail)

    async def run(self) -> None:
        """Until cancelled; who asked meanwhile is looked after then."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """All that waits. Faults are logged: whoever gets no mail asks again."""
        asked, self._asked = self._asked, []
        for mail in asked:
            try:
                await self._one(mail)
            except Exception:
                logger.exception("a link to a new password could not be made")

    async def _one(self, mail: str) -> None:
        try:
            await self._limiter.count(FORGOTTEN_ADDRESS, canonical(mail))
        except ProtocolError:
            return  # whose mailbox it is has enough of them
        person = await self._store.resets.ask(of_server(), mail, self._tell)
        if person is not None:
            await self._store.audit.record(Act.RESET_ASKED, SERVER, practitioner(person.id))

    def _tell(self, person: Practitioner, seed: str) -> Along:
        news = News("reset", person.mail, person.language, {"reset": seed})
        return partial(self._store.notices.along, person.id, [news])
