"""Signing in and out, and the practitioner's one setting."""

import hmac
from contextlib import suppress

from pydantic import TypeAdapter

from rooms.audit import Act, practitioner
from rooms.model import Practitioner
from signaling import sessions
from signaling.addresses import client_address
from signaling.gate import SIGNALING
from signaling.limiter import SIGN_IN_ACCOUNT, SIGN_IN_ADDRESS
from signaling.protocol.errors import ProtocolError, UserError
from signaling.protocol.rest import AccountClosed, AllDestroyed, Me, Retention, RetentionSet, Ticket
from signaling.rest.appointments import receipt_view
from signaling.rest.endpoint import Call
from signaling.tickets import practitioner_access
from signaling.typedefs import LIMITER, SETTINGS, SIGN_IN_LINK, STORE, TICKETS

RETENTION: TypeAdapter[Retention] = TypeAdapter(Retention)


async def sign_in(call: Call) -> Me:
    """E-mail and password, for a browser."""
    return _signed_in(call, await authenticated(call))


async def authenticated(call: Call) -> Practitioner:
    """Whose e-mail and password these are. An unknown address gets the same answer after the same work."""
    app, mail = call.request.app, call.body.mail.strip().casefold()
    limiter, address = app[LIMITER], client_address(call.request, app[SETTINGS].trusted_proxies)
    await limiter.count(SIGN_IN_ADDRESS, address)
    await limiter.count(SIGN_IN_ACCOUNT, mail)
    person = await app[STORE].practitioners.authenticate(call.body.mail, call.body.password)
    if person is None:
        raise UserError("sign_in_refused")
    await limiter.forgive(SIGN_IN_ACCOUNT, mail)
    return person


async def sign_in_by_link(call: Call) -> Me:
    """The demo's sign-in link, good until the process ends."""
    app = call.request.app
    link = app[SIGN_IN_LINK]
    await app[LIMITER].count(SIGN_IN_ADDRESS, client_address(call.request, app[SETTINGS].trusted_proxies))
    if link is None or not hmac.compare_digest(link.token.encode(), call.body.token.encode()):
        raise UserError("link_invalid")
    return _signed_in(call, await app[STORE].practitioners.get(link.practitioner))


async def sign_out(call: Call) -> None:
    """End the session; sockets and tickets of this practitioner end with it."""
    app = call.request.app
    with suppress(ProtocolError):
        person = (await sessions.caller(call.request)).practitioner
        await app[SIGNALING].sign_out(person)
        await app[STORE].audit.record(Act.SIGNED_OUT, practitioner(person))
    call.after.append(lambda response: sessions.end(call.request, response))


async def me(call: Call) -> Me:
    return _view(await call.request.app[STORE].practitioners.get(call.practitioner))


async def set_retention(call: Call) -> RetentionSet:
    """Change the central setting; every living appointment gets its new due time at once (S-29)."""
    store, retention = call.request.app[STORE], call.body.retention
    number = await store.practitioners.set_retention(call.practitioner, retention)
    return RetentionSet(retention=retention, due_within_minute=number)


async def preview_retention(call: Call) -> RetentionSet:
    """What a setting would destroy within a minute, without setting it; without one: the setting as it is."""
    store = call.request.app[STORE]
    asked = call.request.query.get("retention")
    retention = RETENTION.validate_python(asked) if asked else await _retention(call)
    number = await store.practitioners.preview_retention(call.practitioner, retention)
    return RetentionSet(retention=retention, due_within_minute=number)


async def destroy_all(call: Call) -> AllDestroyed:
    """Everything that is stored of this practitioner's appointments goes; a running consult is waited for (S-43)."""
    await _confirmed(call)
    emptied = await call.request.app[STORE].retention.destroy_all(call.practitioner)
    return AllDestroyed(destroyed=emptied.destroyed, waiting=emptied.waiting)


async def close(call: Call) -> AccountClosed:
    """The account ends with all that it has (S-28). Sessions end at once, sockets when no consult is waited for."""
    await _confirmed(call)
    closed = await call.request.app[STORE].retention.close(call.practitioner)
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
    """The password once more, counted like any try to sign in."""
    app = call.request.app
    person = await app[STORE].practitioners.get(call.practitioner)
    await app[LIMITER].count(SIGN_IN_ACCOUNT, person.mail.casefold())
    if await app[STORE].practitioners.authenticate(person.mail, call.body.password) is None:
        raise UserError("sign_in_refused")
    await app[LIMITER].forgive(SIGN_IN_ACCOUNT, person.mail.casefold())


async def _retention(call: Call) -> Retention:
    return (await call.request.app[STORE].practitioners.get(call.practitioner)).retention


def _signed_in(call: Call, person: Practitioner) -> Me:
    call.after.append(lambda response: sessions.begin(call.request, response, person))
    return _view(person)


def _view(person: Practitioner) -> Me:
    return Me(
        practitioner=person.id,
        mail=person.mail,
        display_name=person.display_name,
        language=person.language,
        retention=person.retention,
    )
