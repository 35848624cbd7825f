"""Who wants to register asks for a link, and learns nothing by it; who was let in by nobody has the account closed."""

from typing import NamedTuple

from practice.accounts.model import Language
from practice.mailboxes import canonical
from practice.notices.model import News
from practice.storage import Store
from signaling.aside import Aside
from signaling.limiter import REGISTERING_ADDRESS, Limiter
from signaling.protocol.errors import ProtocolError
from signaling.scopes import of_practitioner, of_server
from vault.audit import SERVER, Act
from vault.records.writing import Along


class Wish(NamedTuple):
    """An account for an address, asked for in a language."""

    mail: str
    language: Language


class Registering(Aside[Wish]):
    """Of this node. An account is wanted."""

    def __init__(self, store: Store, limiter: Limiter) -> None:
        super().__init__(self._look_up)
        self._store = store
        self._limiter = limiter

    async def _look_up(self, wish: Wish) -> None:
        try:
            await self._limiter.count(REGISTERING_ADDRESS, canonical(wish.mail))
        except ProtocolError:
            return  # whose mailbox it is has enough of them
        told = await self._store.registrations.ask(of_server(), wish.mail, wish.language, self._tell)
        if told is not None:
            await self._store.audit.record(Act.REGISTRATION_ASKED, SERVER, detail=told)

    def _tell(self, owner: str, mail: str, language: Language, seed: str | None) -> Along:
        news = News("register-known", mail, language)
        if seed is not None:
            news = News("register", mail, language, {"registration": seed})
        return self._store.notices.of(owner, news)


async def let_lapse(store: Store) -> None:
    """Who registered and was turned down, or answered by nobody in time, has no account any more. Errors:
    DomainError.
    """
    for account in await store.arrivals.unanswered():
        await store.retention.close(of_practitioner(account))
