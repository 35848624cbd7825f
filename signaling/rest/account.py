"""Signing in and out, and the practitioner's one setting."""

import hmac
from contextlib import suppress

from aiohttp import web
from pydantic import TypeAdapter

from practice.accounts.model import Practitioner
from practice.accounts.sessions import Strength
from practice.factors.model import Factors
from practice.organisation.rights import Right, allowed
from signaling import sessions
from signaling.addresses import client_network
from signaling.gate import SIGNALING
from signaling.limiter import SIGN_IN_NETWORK
from signaling.protocol.errors import ProtocolError, UserError
from signaling.protocol.rest import AccountClosed, AllDestroyed, Me, Retention, RetentionSet, Ticket
from signaling.rest.appointments import receipt_view
from signaling.rest.endpoint import Call
from signaling.scopes import of_practitioner
from signaling.second_factor import demand, set_up_by
from signaling.tickets import practitioner_access
from signaling.typedefs import DEVICES, DISSOLVING, LIMITER, NOW, PASSWORDS, SETTINGS, SIGN_IN_LINK, STORE, TICKETS
from vault.audit import Act, practitioner

RETENTION: TypeAdapter[Retention] = TypeAdapter(Retention)


async def sign_in(call: Call) -> Me:
    """E-mail and password, for a browser."""
    person = await authenticated(call)
    return await signed_in(call, person, "password", await demand(call.request.app, person, "browser"))


async def authenticated(call: Call) -> Practitioner:
    """Whose e-mail and password these are. An unknown address gets the same answer after the same work, and so does one
    that is deactivated.
    """
    app, mail = call.request.app, call.body.mail
    device = app[DEVICES].known(call.request, mail, app[NOW]())

    async def look() -> Practitioner | None:
        person = await app[STORE].practitioners.authenticate(mail, call.body.password)
        return person if person and await app[STORE].organisation.standing(person.id) else None

    return await app[PASSWORDS].sign_in(mail, client_network(call.request), device, look)


async def sign_in_by_link(call: Call) -> Me:
    """The demo's sign-in link, good until the process ends."""
    app = call.request.app
    link, network = app[SIGN_IN_LINK], client_network(call.request)
    await app[LIMITER].take(SIGN_IN_NETWORK, network)
    if link is None or not hmac.compare_digest(link.token.encode(), call.body.token.encode()):
        raise UserError("link_invalid")
    await app[LIMITER].give_back(SIGN_IN_NETWORK, network)
    return await signed_in(call, await app[STORE].practitioners.get(of_practitioner(link.practitioner)), "password")


async def sign_out(call: Call) -> None:
    """End the session; sockets and tickets of this practitioner end with it."""
    app = call.request.app
    with suppress(ProtocolError):
        caller = await sessions.caller(call.request)
        await app[SIGNALING].sign_out(caller.practitioner, caller.session)
        await app[STORE].audit.record(Act.SIGNED_OUT, practitioner(caller.practitioner))
    call.after.append(lambda response: sessions.end(call.request, response))


async def me(call: Call) -> Me:
    store = call.request.app[STORE]
    view = _view(call, await store.practitioners.get(call.scope), await store.factors.of(call.scope))
    roles, unseen = call.scope.roles, await store.sights.unseen(call.scope)
    assists = allowed(Right.ASSIST, roles) and not allowed(Right.AGENDA, roles)
    ways = store.outbox.ways
    texts = await store.outbox.texts(call.practitioner) if "sms" in ways else None
    said = {"sights_unseen": unseen or None, "assists": assists, "sends": "mail" in ways, "texts": texts}
    return view.model_copy(update=said)


async def set_retention(call: Call) -> RetentionSet:
    """Change the central setting; every living appointment gets its new due time at once (S-29)."""
    store, retention = call.request.app[STORE], call.body.retention
    number = await store.practitioners.set_retention(call.scope, retention)
    return await _retention_set(call, retention, number)


async def preview_retention(call: Call) -> RetentionSet:
    """What a setting would destroy within a minute, without setting it; without one: the setting as it is."""
    store = call.request.app[STORE]
    asked = call.request.query.get("retention")
    retention = RETENTION.validate_python(asked) if asked else await _retention(call)
    number = await store.practitioners.preview_retention(call.scope, retention)
    return await _retention_set(call, retention, number)


async def destroy_all(call: Call) -> AllDestroyed:
    """Everything that is stored of this practitioner's appointments goes; a running consult is waited for (S-43)."""
    await confirmed(call, call.body.password)
    emptied = await call.request.app[STORE].retention.destroy_all(call.scope)
    await call.request.app[SIGNALING].told(call.practitioner)
    return AllDestroyed(destroyed=emptied.destroyed, waiting=emptied.waiting)


async def close(call: Call) -> AccountClosed:
    """The account ends with all that it has (S-28). Sessions end at once, sockets when no consult is waited for.

    The organisation ends with its only member; who is its last owner, and not alone, names another before.
    """
    await confirmed(call, call.body.password)
    app = call.request.app
    ended = await app[STORE].endings.leave(call.scope)
    closed = await app[STORE].retention.close(call.scope)
    if ended is not None:
        app[DISSOLVING].begun()
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


async def confirmed(call: Call, password: str) -> Practitioner:
    """Who is signed in, by the password once more: what strangers try does not count here.

    Without one, whoever signed in with a passkey a moment ago, who may have none. Errors: ``invalid`` for others then.
    """
    app = call.request.app
    person = await app[STORE].practitioners.get(call.scope)
    if not password:
        if not await sessions.by_passkey(call.request):
            raise UserError("invalid", field="password")
        return person

    async def look() -> Practitioner | None:
        return await app[STORE].practitioners.authenticate(person.mail, password)

    return await app[PASSWORDS].confirm(person.id, call.session or call.family, look)


async def _retention_set(call: Call, retention: Retention, number: int) -> RetentionSet:
    cap = await call.request.app[STORE].policies.cap(call.scope)
    return RetentionSet(retention=retention, due_within_minute=number, cap=cap.longest, cap_by=cap.by)


async def _retention(call: Call) -> Retention:
    return (await call.request.app[STORE].practitioners.get(call.scope)).retention


async def signed_in(call: Call, person: Practitioner, strength: Strength, held: Factors | None = None) -> Me:
    """A session for who has shown enough; ``held`` if it was looked at."""
    call.after.append(lambda response: sessions.begin(call.request, response, person, strength))
    call.after.append(lambda response: _remember(call, response, person))
    held = held or await call.request.app[STORE].factors.of(of_practitioner(person.id))
    return _view(call, person, held)


def _view(call: Call, person: Practitioner, held: Factors) -> Me:
    by = set_up_by(call.request.app[SETTINGS], held)
    return Me(
        practitioner=person.id,
        mail=person.mail,
        display_name=person.display_name,
        language=person.language,
        retention=person.retention,
        second_factor_by=by.isoformat() if by else None,
    )


async def _remember(call: Call, response: web.StreamResponse, person: Practitioner) -> None:
    app = call.request.app
    app[DEVICES].remember(call.request, response, person.mail, app[NOW]())
