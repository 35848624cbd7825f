"""The link of a patient or a guest: what it opens, and one answer for all that it does not."""

import re
from datetime import datetime
from typing import Literal, NamedTuple
from urllib.parse import unquote

from aiohttp import web

from practice.agenda.consenting import demands
from practice.agenda.model import Appointment
from practice.agenda.visit import Visit
from practice.questionnaires.store import may_answer
from signaling.addresses import client_network
from signaling.gate import SIGNALING
from signaling.limiter import JOIN_ADDRESS
from signaling.link_codes import demand_pass, opened_by
from signaling.protocol.errors import UserError
from signaling.protocol.guests import InvitedGuest
from signaling.protocol.rest import Entrance, Join
from signaling.rest.endpoint import Call
from signaling.rest.entrance import entrance
from signaling.scopes import of_link
from signaling.tickets import Claims, practitioner_access
from signaling.typedefs import LIMITER, NOW, SETTINGS, STORE
from signaling.window import JoinWindow, seconds_until
from vault.audit import PATIENT, Act

INVISIBLE = re.compile(r"[\s\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]+")
RUN = re.compile(r"[A-Za-z0-9_-]{44,}")
EMPHASIS = re.compile(r"([_-]{1,3})[A-Za-z0-9_-]{44}\1")
SOFT_BREAK = re.compile(r"=\r?\n")
"""Where quoted-printable breaks a line (RFC 2045, 6.7)."""

NOBODY = "A" * 22


def parts_of(text: str) -> tuple[str, str] | None:
    """Id and secret of a link as it was typed, pasted or passed on.

    What mail programs, chats and trackers put around it (a full stop, quotes, ``%20``, ``&fbclid=``, invisible
    characters) cannot belong to it and is dropped; so is whatever follows its 44 characters.
    """
    readable = SOFT_BREAK.sub("", unquote(unquote(text)))  # twice, for a link within a link
    run = RUN.search(INVISIBLE.sub("", readable))
    if run is None:
        return None
    around = EMPHASIS.fullmatch(run[0])
    link = run[0][len(around[1]) :] if around else run[0]
    return link[:22], link[22:44]


class Visited(NamedTuple):
    """Whose link is good, when that was looked up, and until when it opens."""

    visit: Visit
    now: datetime
    closes: datetime


async def join(call: Call) -> Join:
    """An access token for the waiting room. A visit never consumes a link; one that is not good is ``link_invalid``."""
    found = await visited(call)
    await call.request.app[STORE].audit.record(Act.LINK_OPENED, PATIENT, found.visit.subject)
    await demand_agreed(call, found)
    if found.visit.unopened:
        guest = found.visit.guest.id if found.visit.guest else None
        await call.request.app[STORE].outbox.visited(found.visit.appointment, guest)
        await call.request.app[SIGNALING].told(found.visit.appointment.owner)
    if found.visit.guest is None:
        await call.request.app[SIGNALING].desks.walking_in.opened(found.visit.appointment)
    return await _joined(call, found)


async def demand_agreed(call: Call, found: Visited) -> None:
    """Nobody waits who has not agreed to what is asked of them, nor a child whose guardian has not.

    Errors: ``consent_needed``, ``guardian_needed``.
    """
    scope = of_link(found.visit.appointment.id)
    if why := await call.request.app[STORE].consents.missing(scope, found.visit):
        raise UserError(why)


async def visited(call: Call, *, over: bool = False, passed: bool = True) -> Visited:
    """What the link of the body opens, or with ``over`` is about.

    With ``passed`` not without the code that it may ask for. A link of the wrong shape, of nobody, destroyed, ended or
    expired is looked up all the same, with the same work.
    """
    app = call.request.app
    parts = parts_of(call.body.link)
    appointment, secret = parts or (NOBODY, NOBODY)
    visit = await app[STORE].appointments.by_link(of_link(appointment), secret)
    now = app[NOW]()
    closes = await closes_for(app, visit.appointment, now) if parts and visit else now
    if visit is None or (closes <= now and not over) or not parts:
        await app[LIMITER].count(JOIN_ADDRESS, client_network(call.request))
        raise UserError("link_invalid")
    if passed:
        demand_pass(call.request, visit.appointment, call.body.code_pass)
    return Visited(visit, now, closes)


async def closes_for(app: web.Application, appointment: Appointment, now: datetime) -> datetime:
    """Until when the link opens: one that runs over its time must let back in whoever reloads."""
    window = JoinWindow.of(app[SETTINGS])
    closes = window.closes_at(appointment, now)
    if appointment.state != "planned" or closes > now:
        return closes
    running = await app[SIGNALING].in_progress(appointment.id)
    return window.closes_at(appointment, now, running=running)


async def _joined(call: Call, found: Visited) -> Join:
    visit, now, closes = found
    app, appointment = call.request.app, visit.appointment
    practitioner = await visit.host()
    opens_at = JoinWindow.of(app[SETTINGS]).opens_at(appointment)
    opens = int(opens_at.timestamp())
    role: Literal["patient", "guest"] = "guest" if visit.guest else "patient"
    access = Claims(
        kind="access",
        role=role,
        appointment=appointment.id,
        seat=visit.guest.id if visit.guest else role,
        opens=opens,
        number=None if visit.guest else appointment.number,
        link=None if visit.guest else opened_by(appointment),
        asks=(visit.whole is not None and demands(visit.whole)) or None,
        expires=0,
    )
    until = int(closes.timestamp()) if call.body.refresh else None
    return Join(
        **await entrance(call, access, appointment.id, until),
        role=role,
        guest=InvitedGuest(name=visit.guest.name, role=visit.guest.role) if visit.guest else None,
        ice_servers=[],
        practitioner_name=practitioner.display_name,
        starts_at=appointment.starts_at.isoformat(),
        minutes=appointment.minutes,
        language=appointment.language,
        window="early" if now < opens_at else "open" if now <= appointment.ends_at else "late",
        opens_at=opens_at.isoformat(),
        opens_in=seconds_until(opens_at, now),
        closes_at=closes.isoformat(),
        closes_in=seconds_until(closes, now),
        wish=appointment.wish,
        asks=bool(access.asks),
        questions=bool(visit.whole and visit.whole.questions and may_answer(visit)),
    )


async def enter(call: Call) -> Entrance:
    """The same for the practitioner, who is in at once and therefore gets TURN credentials with it."""
    app = call.request.app
    appointment = await app[STORE].appointments.get(call.scope, call.path["appointment"])
    if appointment.state != "planned":
        raise UserError("ended")
    access = practitioner_access(call.practitioner, call.family, call.session)
    ways = app[SIGNALING].consults.showing.ice_servers(appointment.id, "practitioner")
    return Entrance(**await entrance(call, access, appointment.id, None), role="practitioner", ice_servers=ways)
