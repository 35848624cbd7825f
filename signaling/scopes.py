"""The one place where who is signed in, holds a ticket, came by a link or is in a consult becomes a ``Scope``."""

from practice.organisation.model import Standing
from rooms.consult_state import Consult
from signaling.protocol.errors import ProtocolError
from signaling.tickets import Claims
from vault.records.scope import SERVER, Scope


def of_practitioner(person: str) -> Scope:
    """Of whoever has this account, as no member of anything; ``unauthenticated`` where nobody is."""
    if not person:
        raise ProtocolError("unauthenticated")
    return Scope.practitioner(person)


def of_owner(owner: str) -> Scope:
    """Of what is being closed because whoever may has said so: an organisation, which nobody signs in as."""
    return Scope.operator(owner)


def of_standing(standing: Standing | None) -> Scope:
    """Of who is signed in; ``unauthenticated`` where nobody is."""
    if standing is None:
        raise ProtocolError("unauthenticated")
    return Scope.practitioner(standing.account, standing.organisation, standing.roles)


def of_server() -> Scope:
    """Of what the server does when nobody is known yet: it finds an account by its address."""
    return SERVER


def of_claims(claims: Claims) -> Scope:
    """Of a genuine ticket: a practitioner's, or that of a link to one appointment."""
    if claims.practitioner is not None:
        return Scope.practitioner(claims.practitioner)
    if claims.appointment is None:
        raise ProtocolError("token_invalid")
    return Scope.guest(claims.appointment)


def of_feed(owner: str) -> Scope:
    """Of a calendar program that has the address of this account's feed."""
    return Scope.subscribed(owner)


def of_link(appointment: str) -> Scope:
    """Of whoever says to have a link to this appointment."""
    return Scope.guest(appointment)


def of_consult(consult: Consult) -> Scope:
    """Of a live consult."""
    return Scope.consult(consult.appointment, consult.owner)


def of_running(owner: str, appointment: str) -> Scope:
    """Of the live consult that somebody's desk says is held."""
    return Scope.consult(appointment, owner)
