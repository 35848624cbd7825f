"""What somebody is told by mail when their account is signed in to."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from aiohttp import web

from practice.accounts.model import Practitioner
from practice.mailboxes import canonical
from practice.notices.model import News
from signaling.addresses import client_network
from signaling.limiter import NEW_DEVICE
from signaling.protocol.errors import ProtocolError
from signaling.typedefs import DEVICES, LIMITER, NOW, STORE
from vault.records.writing import Along

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
