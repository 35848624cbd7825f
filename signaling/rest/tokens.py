"""Signing in an app: short access tokens, and refresh tokens of which each is good once."""

from contextlib import suppress

from practice.accounts.model import Practitioner
from rooms.consult_state import GUEST
from signaling.consults.seats import is_invited
from signaling.gate import SIGNALING
from signaling.limiter import REFRESH_FAMILY
from signaling.link_codes import still_opens
from signaling.news import signing_in
from signaling.protocol.errors import ProtocolError, UserError
from signaling.protocol.rest import TokenSet
from signaling.refresh import Reused
from signaling.rest import account
from signaling.rest.endpoint import Call
from signaling.rest.join import closes_for
from signaling.scopes import of_claims
from signaling.second_factor import demand
from signaling.tickets import Claims, practitioner_access
from signaling.typedefs import LIMITER, NOW, SETTINGS, STORE, TICKETS
from vault import audit
from vault.audit import SERVER, Act
from vault.errors import DomainError
from vault.records.writing import Along, always


async def sign_in(call: Call) -> TokenSet:
    """E-mail and password, without a cookie."""
    person = await account.authenticated(call)
    await demand(call.request.app, person, "app")
    return await begun(call, person)


async def begun(call: Call, person: Practitioner) -> TokenSet:
    """The first two tokens of who has shown enough."""
    app = call.request.app
    tickets, settings = app[TICKETS], app[SETTINGS]
    access = practitioner_access(person.id, expires=tickets.expires_in(0))
    await signing_in(call.request, person, _told)
    claims, token = await app[SIGNALING].refresh.begin(access, tickets.expires_in(settings.refresh_seconds))
    return _set(call, claims, token, settings.refresh_seconds)


async def _told(along: Along | None) -> None:
    """A family is in Redis: its mail is written before there is one."""
    if along is not None:
        await along(always)


async def refresh(call: Call) -> TokenSet:
    """The next two tokens. One that was used before ends the family, which the audit trail says."""
    app = call.request.app
    families = app[SIGNALING].refresh
    claims = await families.verify(call.body.refresh_token)
    await app[LIMITER].count(REFRESH_FAMILY, claims.family)
    await _still_there(call, claims)
    try:
        token = await families.rotate(claims)
    except Reused:
        await app[SIGNALING].gate.sign_out([str(claims.family)], "token_reused")
        await _enter_reuse(call, claims)
        raise
    return _set(call, claims, token, claims.expires - app[TICKETS].expires_in(0))


async def revoke(call: Call) -> None:
    """The app signs out. A token that is none any more is as good (RFC 7009 2.2)."""
    live = call.request.app[SIGNALING]
    with suppress(ProtocolError):
        await live.revoke(await live.refresh.verify(call.body.refresh_token))


async def _still_there(call: Call, claims: Claims) -> None:
    """An account that was closed refreshes nothing, nor does a link that opens nothing any more, is another since or
    asks for a code that was not typed.
    """
    app = call.request.app
    if claims.practitioner:
        try:
            await app[STORE].practitioners.get(of_claims(claims))
            if await app[STORE].organisation.standing(claims.practitioner) is None:
                raise ProtocolError("token_invalid")
        except DomainError as error:
            raise ProtocolError("token_invalid") if error.code in ("not_found", "gone") else error from None
        return
    appointment = await app[STORE].appointments.get(of_claims(claims), str(claims.appointment))
    if claims.role == GUEST and not is_invited(appointment, claims.seat):
        raise ProtocolError("token_invalid")
    if claims.role == "patient" and not still_opens(appointment, claims.link):
        raise ProtocolError("token_invalid")
    if why := await app[STORE].consents.missing_of(of_claims(claims), appointment, claims.seat):
        raise UserError(why)
    if await closes_for(app, appointment, app[NOW]()) <= app[NOW]():
        raise UserError("ended")


async def _enter_reuse(call: Call, claims: Claims) -> None:
    store = call.request.app[STORE]
    if claims.practitioner:
        subject = audit.practitioner(claims.practitioner)
    else:
        appointment = await store.appointments.get(of_claims(claims), str(claims.appointment))
        subject = audit.appointment(appointment.owner, appointment.id)
    await store.audit.record(Act.TOKEN_REUSED, SERVER, subject)


def _set(call: Call, claims: Claims, token: str, life: int) -> TokenSet:
    tickets, seconds = call.request.app[TICKETS], call.request.app[SETTINGS].access_seconds
    changes = {"kind": "access", "generation": None, "link": None, "expires": tickets.expires_in(seconds)}
    return TokenSet(
        access_token=tickets.issue(claims.model_copy(update=changes)),
        expires_in=seconds,
        refresh_token=token,
        refresh_expires_in=life,
        practitioner=claims.practitioner,
    )
