"""Who reads what people mail about their data, and whom that was answered today."""

from typing import TYPE_CHECKING, Final

from redis.exceptions import RedisError

from practice.imap import Mailbox
from practice.mailboxes import canonical
from practice.mailed_requests.filing import MailDesk
from practice.mailed_requests.reader import RequestReader
from practice.outgoing import Door
from practice.settings import PracticeSettings
from practice.storage import Storage
from signaling.couriers import TERM
from signaling.limiter import REQUEST_ANSWERS, REQUEST_ANSWERS_ALL
from signaling.protocol.errors import SpreekkamerError
from signaling.scopes import of_server
from vault.database.leases import Lease

if TYPE_CHECKING:
    from signaling.limiter import Limiter

LEASE: Final = "request-mail"


class AnsweredToday:
    """One answer in 24 hours for an address, and at most so many for all, for a mail may name anybody as its sender,
    whichever server sends it (``filing.Answers``). While Redis is away nobody
    is answered: what came is filed all the same.
    """

    def __init__(self, limiter: "Limiter") -> None:
        self._limiter = limiter

    async def take(self, mail: str) -> bool:
        """Whether this address may be answered now; from now on it may not for a day."""
        try:
            await self._limiter.take(REQUEST_ANSWERS, canonical(mail))
            try:
                await self._limiter.take(REQUEST_ANSWERS_ALL)
            except SpreekkamerError:
                await self._limiter.give_back(REQUEST_ANSWERS, canonical(mail))
                return False
        except (RedisError, SpreekkamerError):
            return False
        return True

    async def give_back(self, mail: str) -> None:
        """It was not answered after all."""
        await self._limiter.give_back(REQUEST_ANSWERS, canonical(mail))
        await self._limiter.give_back(REQUEST_ANSWERS_ALL)


def reader(store: Storage, settings: PracticeSettings, door: Door, limiter: "Limiter") -> RequestReader | None:
    """Of the mailbox that people write to; None where there is none."""
    box = settings.requests.mailbox
    if box.address is None:
        return None
    ours = [one for one in (box.address, settings.mail.sender, settings.bounces.address) if one]
    desk = MailDesk(of_server(), store.requests, store.organisation, store.notices, store.audit, AnsweredToday(limiter))
    lease = Lease(store.database, LEASE, store.lease.holder, TERM, store.clock.wall)
    return RequestReader(Mailbox("requests", box, door), desk, lease, ours)
