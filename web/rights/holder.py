"""Who reads the rights pages of a link: what one cookie says of the device on which the link's code was typed.

The link itself comes once, in a body. After that the browser has a signed ticket that names appointment, seat and link
without opening it: first that a code was asked for (``asked``), then that it was typed (``rights``). It is worth
nothing after another link, after half an hour, and once the appointment is destroyed or another's.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Final, Literal

from aiohttp import web

from practice.agenda.cancelling import is_off
from practice.agenda.model import Appointment, Guest, told_as
from signaling.addresses import public_origin
from signaling.link_codes import link_mark
from signaling.protocol.errors import ProtocolError
from signaling.rest.endpoint import Call
from signaling.scopes import of_claims
from signaling.settings import SignalingSettings
from signaling.tickets import Claims
from signaling.typedefs import NOW, SETTINGS, STORE, TICKETS
from vault.audit import PATIENT, Act, Draft, Party, appointment
from vault.errors import DomainError

PLAIN: Final = "rights"
SECURE: Final = "__Host-rights"
ENTER: Final = "/c/rights"
MINE: Final = "/c/rights/mine"
LIFE: Final = timedelta(minutes=30)

Step = Literal["asked", "rights"]


@dataclass(frozen=True)
class Holder:
    """Of whose link the code was asked for or typed. ``planned`` is the whole appointment, ``told`` what this reader is
    told of it; ``guest`` is who that is if not the patient.
    """

    planned: Appointment = field(repr=False)
    guest: Guest | None = field(repr=False)

    @property
    def told(self) -> Appointment:
        """The appointment as if it was theirs alone, with their link and their address."""
        return told_as(self.planned, self.guest) if self.guest else self.planned

    @property
    def seat(self) -> str:
        """Theirs in the consult, by which one link's codes are told from another's."""
        return self.guest.id if self.guest else self.planned.id

    @property
    def subject(self) -> Party:
        """The appointment in the audit trail."""
        return appointment(self.planned.owner, self.planned.id)


async def holder(call: Call) -> Holder:
    """Who typed the code. Whoever did not is led to where it is asked for (``web.HTTPSeeOther``)."""
    return await _found(call, "rights")


async def asking(call: Call) -> Holder:
    """Who asked for a code by the link, a moment ago. Others are led back."""
    return await _found(call, "asked")


async def _found(call: Call, step: Step) -> Holder:
    app = call.request.app
    try:
        token = call.request.cookies.get(cookie_name(app[SETTINGS]), "")
        claims = app[TICKETS].verify(token, kinds=(step,))
        planned = await app[STORE].appointments.get(of_claims(claims), claims.appointment or "")
    except (ProtocolError, DomainError) as error:
        if isinstance(error, DomainError) and error.code not in ("not_found", "gone"):
            raise
        raise web.HTTPSeeOther(ENTER) from None
    guest = next((one for one in planned.guests if one.id == claims.seat), None)
    found = Holder(planned, guest)
    known = guest is not None or claims.seat == "patient"
    if not known or claims.link != link_mark(found.told.secret) or is_off(planned, app[NOW]()):
        raise web.HTTPSeeOther(ENTER)
    return found


def keep(call: Call, found: Holder, step: Step) -> None:
    """The browser has it, where no script reads it, once the answer leaves."""
    tickets, seconds = call.request.app[TICKETS], int(LIFE.total_seconds())
    claims = Claims(
        kind=step,
        role="guest" if found.guest else "patient",
        appointment=found.planned.id,
        seat=found.guest.id if found.guest else "patient",
        link=link_mark(found.told.secret),
        expires=tickets.expires_in(seconds),
    )
    call.after.append(partial(_set, call.request.app[SETTINGS], tickets.issue(claims), seconds))


def forget(call: Call) -> None:
    """The browser has it no more, once the answer leaves."""
    call.after.append(partial(_set, call.request.app[SETTINGS], "", 0))


async def _set(settings: SignalingSettings, token: str, seconds: int, response: web.StreamResponse) -> None:
    name = cookie_name(settings)
    response.set_cookie(name, token, max_age=seconds, path="/", secure=name == SECURE, httponly=True, samesite="Strict")


def cookie_name(settings: SignalingSettings) -> str:
    """Browsers refuse the prefix over plain http, which only loopback uses."""
    return SECURE if public_origin(settings).startswith("https://") else PLAIN


def read(call: Call, shown: Any) -> Draft:
    """A page's ``entered``: its reader looked at what is held of them. ``shown`` has ``holder``."""
    return Draft(Act.DATA_READ, PATIENT, shown["holder"].subject)
