"""Signing in and out, and the practitioner's one setting."""

import hmac
from contextlib import suppress

from aiohttp import web
from pydantic import TypeAdapter

from practice.accounts.model import Practitioner
from signaling import sessions
from signaling.addresses import client_network
from signaling.gate import SIGNALING
from signaling.limiter import SIGN_IN_NETWORK
from signaling.protocol.errors import ProtocolError, UserError
from signaling.protocol.rest import AccountClosed, AllDestroyed, Me, Retention, RetentionSet, Ticket
from signaling.rest.appointments import receipt_view
from signaling.rest.endpoint import Call
from signaling.scopes import of_practitioner
from signaling.tickets import practitioner_access
from signaling.typedefs import DEVICES, LIMITER, NOW, PASSWORDS, SETTINGS, SIGN_IN_LINK, STORE, TICKETS
from vault.audit import Act, practitioner

RETENTION: TypeAdapter[Retention] = TypeAdapter(Retention)


async def sign_in(call: Call) -> Me:
    """E-mail and password, for a browser."""
    return _signed_in(call, await authenticated(call))


async def authenticated(call: Call) -> Practitioner:
    """Whose e-mail and password these are. An unknown address gets the same answer after the same work."""
    app, mail = call.request.app, call.body.mail
    device = app[DEVICES].known(call.request, mail, app[NOW]())

    async def look() -> Practitioner | None:
        return await app[STORE].practitioners.authenticate(mail, call.body.password)

    return await app[PASSWORDS].sign_in(mail, client_network(call.request), device, look)


async def sign_in_by_link(call: Call) -> Me:
    """The demo's sign-in link, good until the process ends."""
    app = call.request.app
    link, network = app[SIGN_IN_LINK], client_network(call.request)
    await app[LIMITER].take(SIGN_IN_NETWORK, network)
    if link is None or not hmac.compare_digest(link.token.encode(), call.body.token.encode()):
        raise UserError("link_invalid")
    await app[LIMITER].give_back(SIGN_IN_NETWORK, network)
    return _signed_in(call, await app[STORE].practitioners.get(of_practitioner(link.practitioner)))


async def sign_out(call: Call) -> None:
    """End the session; sockets and tickets of this practitioner end with it."""
    app = call.request.app
    with suppress(ProtocolError):
        caller = await sessions.caller(call.request)
        await app[SIGNALING].sign_out(caller.practitioner, caller.session)
        await app[STORE].audit.record(Act.SIGNED_OUT, practitioner(caller.practitioner))
    call.after.append(lambda response: sessions.end(call.request, response))


async def me(call: Call) -> Me:
    return _view(await call.request.app[STORE].practitioners.get(call.scope))


async def set_retention(call: Call) -> RetentionSet:
    """Change the central setting; every living appointment gets its new due time at once (S-29)."""
    store, retention = call.request.app[STORE], call.body.retention
    number = await store.practitioners.set_retention(call.scope, retention)
    return RetentionSet(retention=retention, due_within_minute=number)


async def preview_retention(call: Call) -> RetentionSet:
    """What a setting would destroy within a minute, without setting it; without one: the setting as it is."""
    store = call.request.app[STORE]
    asked = call.request.query.get("retention")
    retention = RETENTION.validate_python(asked) if asked else await _retention(call)
    number = await store.practitioners.preview_retention(call.scope, retention)
    return RetentionSet(retention=retention, due_within_minute=number)


async def destroy_all(call: Call) -> AllDestroyed:
    """Everything that is stored of this practitioner's appointments goes; a running consult is waited for (S-43)."""
    await _confirmed(call)
    emptied = await call.request.app[STORE].retention.destroy_all(call.scope)
    return AllDestroyed(destroyed=emptied.destroyed, waiting=emptied.waiting)


async def close(call: Call) -> AccountClosed:
    """The account ends with all that it has (S-28). Sessions end at once, sockets when no consult is waited for."""
    await _confirmed(call)
    closed = await call.request.app[STORE].retention.close(call.scope)
    call.after.append(lambda response: sessions.end(call.request, response))
    return AccountClosed(
        destroyed=closed.destroyed,
        waiting=closed.waiting,
        receipt=receipt_view(closed.receipt) if closed.receipt else None,
    )


async def desk_ticket(call: Call) -> Ticket:
    """An access token for the Socket.IO connection of the desk and of the consults opened from it."""
    app = call.request.app
    seconds, tickets = app[SETTINGS].access_seconds, app[TICKETS]
    claims = practitioner_access(call.practitioner, call.family, call.session, tickets.expires_in(seconds))
    return Ticket(access_token=tickets.issue(claims), expires_in=seconds)


async def _confirmed(call: Call) -> None:
    """The password once more, of who is signed in: what strangers try does not count here."""
    app = call.request.app
    person = await app[STORE].practitioners.get(call.scope)

    async def look() -> Practitioner | None:
        return await app[STORE].practitioners.authenticate(person.mail, call.body.password)

    await app[PASSWORDS].confirm(person.id, call.session or call.family, look)


async def _retention(call: Call) -> Retention:
    return (await call.request.app[STORE].practitioners.get(call.scope)).retention


def _signed_in(call: Call, person: Practitioner) -> Me:
    call.after.append(lambda response: sessions.begin(call.request, response, person))
    call.after.append(lambda response: _remember(call, response, person))
    return _view(person)


def _view(person: Practitioner) -> Me:
    return Me(
        practitioner=person.id,
        mail=person.mail,
        display_name=person.display_name,
        language=person.language,
        retention=person.retention,
    )


async def _remember(call: Call, response: web.StreamResponse, person: Practitioner) -> None:
    app = call.request.app
    app[DEVICES].remember(call.request, response, person.mail, app[NOW]())
