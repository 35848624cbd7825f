"""What somebody is told by mail: that their account is signed in to, or that a patient said or booked something."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from aiohttp import web

from practice.accounts.model import Practitioner
from practice.mailboxes import canonical
from practice.notices.model import News, Word
from signaling.addresses import client_network
from signaling.limiter import NEW_DEVICE
from signaling.protocol.errors import ProtocolError
from signaling.scopes import of_practitioner
from signaling.typedefs import DEVICES, LIMITER, NOW, STORE
from vault.errors import DomainError
from vault.records.writing import Along, always

T = TypeVar("T")


async def signing_in(request: web.Request, person: Practitioner, begin: Callable[[Along | None], Awaitable[T]]) -> T:
    """What ``begin`` gives; it writes a mail along, unless this browser signed in before or that was told today."""
    app, whose = request.app, (canonical(person.mail), client_network(request))
    notices, limiter = app[STORE].notices, app[LIMITER]
    known = app[DEVICES].known(request, person.mail, app[NOW]()) is not None
    if known or not notices.on or await limiter.any_counted(NEW_DEVICE, whose):
        return await begin(None)
    begun = await begin(notices.of(person.id, News("new-device", person.mail, person.language)))
    with suppress(ProtocolError):  # two at once are both told of
        await limiter.count(NEW_DEVICE, whose)
    return begun


async def tell(app: web.Application, account: str, word: Word) -> None:
    """Mail to whoever has this account, of what is written already: pages say it too, so it makes no error."""
    with suppress(DomainError):
        person = await app[STORE].practitioners.get(of_practitioner(account))
        await app[STORE].notices.along(account, [News(word, person.mail, person.language)], always)
