"""A practitioner's open hour: when whoever comes is received, opened now or closed, and who is in the queue then."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Final, Literal

from pydantic import Field

from practice.bookings.hours import closes, typed, typed_exceptions
from practice.bookings.model import Availability, OpenHour
from practice.organisation.rights import Right
from signaling.addresses import public_origin
from signaling.gate import SIGNALING
from signaling.protocol.waiting_room import MOST_WORDS, Decline
from signaling.rest.endpoint import Call
from signaling.typedefs import NOW, SETTINGS, STORE, ZONE
from vault.audit import Act, Draft, practitioner
from vault.errors import DomainError
from web.account.booking import WEEK, Days, Which, typed_days
from web.forms import Form, Page, Wrong
from web.moments import time_of, weekdays
from web.render import spoken

DAY: Final = timedelta(days=1)


class Now(Which):
    """Until when, by the practice's clock."""

    until: time


class Closing(Which):
    """Whether who is in the queue stays, and what they are told who do not."""

    queue: Literal["stay", "go"] = "stay"
    text: Annotated[str, Field(max_length=MOST_WORDS)] = ""


async def show(call: Call) -> Mapping[str, object]:
    """As it is, where it is found, and how many are in the queue."""
    app, language = call.request.app, spoken(call.request)[0]
    found, zone = await app[STORE].bookings.of(call.scope), app[ZONE]()
    until = closes(found.hour, zone, app[NOW]())
    queue = await app[SIGNALING].consults.beside.walk_ins.of(call.practitioner)
    return {
        "hour": found.hour,
        "version": found.version,
        "address": f"{public_origin(app[SETTINGS])}/book/{found.token}/open" if found.hour != OpenHour() else "",
        "week": list(zip(WEEK, weekdays(language), map(typed, found.hour.week), strict=True)),
        "exceptions": typed_exceptions(found.hour),
        "until": time_of(until.astimezone(zone), language) if until else "",
        "queue": len(queue.spots),
        "most_words": MOST_WORDS,
    }


async def offer(call: Call) -> Availability:
    """These hours from now on; what was opened or closed by hand stays so."""
    said, wrong = call.body, dict[str, str]()
    week, special = typed_days(said, wrong)
    if wrong:
        raise Wrong(wrong)
    bookings = call.request.app[STORE].bookings
    before = (await bookings.of(call.scope)).hour
    hour = replace(before, week=week, exceptions=special, minutes=int(said.minutes))
    return await bookings.set_hour(call.scope, hour, said.version)


async def open_now(call: Call) -> Availability:
    """Whatever the week says, until then; a time that is over is tomorrow's."""
    app, zone = call.request.app, call.request.app[ZONE]()
    here = app[NOW]().astimezone(zone)
    until = datetime.combine(here.date(), call.body.until.replace(tzinfo=None), zone).astimezone(UTC)
    until = until if until > here else until + DAY
    bookings = app[STORE].bookings
    hour = replace((await bookings.of(call.scope)).hour, until=until, shut=None)
    return await bookings.set_hour(call.scope, hour, call.body.version)


async def close(call: Call) -> Availability:
    """Nobody new until the week opens it again; who is in the queue stays, or goes and is told so."""
    app, said = call.request.app, call.body
    bookings = app[STORE].bookings
    before = (await bookings.of(call.scope)).hour
    shut = closes(before, app[ZONE](), app[NOW]())
    made = await bookings.set_hour(call.scope, closed(before, shut), said.version)
    if said.queue == "go":
        await send_away(call, said.text.strip() or None)
    return made


def closed(hour: OpenHour, shut: datetime | None) -> OpenHour:
    """Not open any more, and not again in what is left of these hours."""
    return replace(hour, until=None, shut=shut)


async def send_away(call: Call, text: str | None) -> None:
    """Who is there reads why; who is away just now finds the link closed."""
    signaling, me = call.request.app[SIGNALING], call.practitioner
    for one in (await signaling.consults.live.desk(me)).waiting:
        if one.number is not None:
            whom = {"appointment": one.appointment, "participant": one.participant}
            with suppress(DomainError):  # they left, or their connection is lost
                await signaling.desks.greeting.decline(me, Decline(**whom, message="not-now", text=text))
    await signaling.desks.walking_in.send_away(me)


def offered(call: Call, _made: Availability) -> Draft:
    return changed(call, "hours")


def opened(call: Call, _made: Availability) -> Draft:
    return changed(call, "hour-open")


def shut(call: Call, _made: Availability) -> Draft:
    return changed(call, "hour-closed")


def changed(call: Call, detail: str) -> Draft:
    return Draft(Act.AVAILABILITY_CHANGED, practitioner(call.practitioner), detail=detail)


HOUR: Final = Page("/account/open-hour", "account/open_hour.html", show, right=Right.AGENDA)

PAGES: Final = (HOUR,)
FORMS: Final = (
    Form(f"{HOUR.path}/offer", HOUR, Days, offer, done="saved", entered=offered),
    Form(f"{HOUR.path}/now", HOUR, Now, open_now, done="hour-open", entered=opened),
    Form(f"{HOUR.path}/close", HOUR, Closing, close, done="hour-closed", entered=shut),
)
"""``pages`` has each page and each form."""
