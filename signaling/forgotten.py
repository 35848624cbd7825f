"""Who forgot a password asks for a link, and learns nothing by it."""

from functools import partial

from practice.accounts.model import Practitioner
from practice.mailboxes import canonical
from practice.notices.model import News
from practice.storage import Store
from signaling.aside import Aside
from signaling.limiter import FORGOTTEN_ADDRESS, Limiter
from signaling.protocol.errors import ProtocolError
from signaling.scopes import of_server
from vault.audit import SERVER, Act, practitioner
from vault.records.writing import Along


class Forgotten(Aside[str]):
    """Of this node. A new password is wanted for an address."""

    def __init__(self, store: Store, limiter: Limiter) -> None:
        super().__init__(self._look_up)
        self._store = store
        self._limiter = limiter

    async def _look_up(self, mail: str) -> None:
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
