"""Coming to a practitioner's open hour, without an account, a mail address or a script: a name, then a number.

The pages may stand in a frame of the origins that the practitioner named, as those for booking.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, NamedTuple

from pydantic import Field

from practice.accounts.model import Language, Practitioner
from practice.agenda.changes import MAX_NAME
from practice.agenda.model import patient_link
from practice.bookings.model import Availability
from rooms.walk_ins import waiting_range
from signaling.addresses import client_network, public_origin, site_of
from signaling.gate import SIGNALING
from signaling.limiter import BOOKING_NETWORK, WALKING_IN_NETWORK
from signaling.protocol.errors import UserError
from signaling.rest.endpoint import Call
from signaling.scopes import of_practitioner
from signaling.typedefs import LIMITER, SETTINGS, STORE, ZONE
from web.forms import Fields, Form, Page, Shown
from web.headers import FRAMED
from web.moments import time_of
from web.render import spoken


class Who(Fields):
    """Who comes. It is typed, so that no program that presses every button takes a number."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]


class Found(NamedTuple):
    """What an address leads to, whose it is, and until when they receive whoever comes; None while they do not."""

    availability: Availability
    person: Practitioner
    until: datetime | None


async def found(call: Call) -> Found:
    """Errors: ``not_found`` (it leads nowhere, or never was an open hour), ``rate_limited``."""
    app, request = call.request.app, call.request
    await app[LIMITER].count(BOOKING_NETWORK, client_network(request))
    there = await app[STORE].bookings.receiving(call.path["page"], app[ZONE]())
    if there is None or await app[STORE].organisation.standing(there[0].owner) is None:
        raise UserError("not_found")
    availability, until = there
    request[FRAMED] = availability.terms.ancestors
    return Found(availability, await app[STORE].practitioners.get(of_practitioner(availability.owner)), until)


async def show(call: Call) -> Mapping[str, object]:
    """Whether it is open, how many are in the queue, and how long it may take."""
    app, there = call.request.app, await found(call)
    consults, owner = app[SIGNALING].consults, there.availability.owner
    desk, queue = await consults.live.desk(owner), await consults.beside.walk_ins.of(owner)
    least, most = waiting_range(queue.lengths, len(desk.waiting), running=desk.in_consult is not None) or (0, 0)
    until = there.until and time_of(there.until.astimezone(app[ZONE]()), spoken(call.request)[0])
    return {"person": there.person, "until": until, "before": len(desk.waiting), "least": least, "most": most}


async def come(call: Call) -> Shown:
    """A number, and the link to the waiting room."""
    app, there, site = call.request.app, await found(call), site_of(client_network(call.request))
    if there.until is None:
        raise UserError("ended")
    await app[LIMITER].count(WALKING_IN_NETWORK, site)
    language: Language | Any = spoken(call.request)[0]
    came_from = app[LIMITER].pseudonym_of(WALKING_IN_NETWORK, site)
    signaling = app[SIGNALING]
    made = await signaling.desks.walking_in.come(there.availability, call.body.name, language, came_from)
    await signaling.told(made.owner)
    link = patient_link(public_origin(app[SETTINGS]), made)
    return Shown("booking/number.html", {"person": there.person, "number": made.number, "link": link})


OPEN: Final = Page("/book/{page}/open", "booking/open.html", show, public=True)

REFUSED: Final = {
    "ended": ("", "hour.closed"),
    "room_full": ("", "hour.full"),
    "rate_limited": ("", "hour.busy"),
}

PAGES: Final = (OPEN,)
FORMS: Final = (Form("/book/{page}/open/come", OPEN, Who, come, says=REFUSED),)
"""``pages`` has each page and each form."""
