"""Booking by oneself, without an account and without a script: free times, one of them held, and digits from a mail.

The pages may stand in a frame of the origins that the practitioner named; no cookie is needed for any of them.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Annotated, Any, Final, NamedTuple

from aiohttp import web
from pydantic import Field

from practice.accounts.model import Language, Practitioner
from practice.accounts.store import MAX_MAIL
from practice.agenda.changes import MAX_NAME
from practice.bookings.hours import closes
from practice.bookings.model import Availability, Hold
from practice.bookings.store import Wanted
from practice.mailboxes import canonical
from practice.notices.model import News
from signaling.addresses import client_network
from signaling.gate import SIGNALING
from signaling.limiter import BOOKED_MAIL, BOOKING_NETWORK, HOLDING_NETWORK
from signaling.news import tell
from signaling.protocol.errors import UserError
from signaling.rest.endpoint import Call
from signaling.scopes import of_feed, of_practitioner
from signaling.typedefs import LIMITER, NOW, STORE, ZONE
from vault.audit import PATIENT, Act, appointment
from vault.records.writing import Along
from web.forms import Fields, Form, Page, Shown
from web.headers import FRAMED
from web.moments import day_of, time_of
from web.render import spoken

SHOWN_DAYS: Final = 14


class Who(Fields):
    """Who books."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    mail: Annotated[str, Field(min_length=3, max_length=MAX_MAIL)]


class Typed(Fields):
    """The digits of the mail."""

    code: Annotated[str, Field(min_length=1, max_length=20)]


class Found(NamedTuple):
    """What an address leads to, and whose it is."""

    availability: Availability
    person: Practitioner
    language: Language


async def found(call: Call) -> Found:
    """Errors: ``not_found`` (it leads nowhere, or nobody may book there), ``rate_limited``."""
    app, request = call.request.app, call.request
    await app[LIMITER].count(BOOKING_NETWORK, client_network(request))
    availability = await app[STORE].bookings.at(call.path["page"])
    if (
        availability is None
        or not app[STORE].notices.on
        or await app[STORE].organisation.standing(availability.owner) is None
    ):
        raise UserError("not_found")
    request[FRAMED] = availability.terms.ancestors
    language: Any = spoken(request)[0]
    return Found(availability, await app[STORE].practitioners.get(of_practitioner(availability.owner)), language)


async def held(call: Call) -> tuple[Found, Hold]:
    """The same, and the time that the address holds. Errors: also ``not_found`` once that is over."""
    there = await found(call)
    hold = await call.request.app[STORE].bookings.held(call.path["token"])
    if hold is None or hold.owner != there.availability.owner:
        raise UserError("not_found")
    return there, hold


def wanted(call: Call) -> datetime:
    """The time in the address. Errors: ``not_found``."""
    try:
        return datetime.fromtimestamp(int(call.path["time"]), UTC).astimezone(call.request.app[ZONE]())
    except (ValueError, OverflowError, OSError):
        raise UserError("not_found") from None


def words(call: Call, at: datetime) -> dict[str, object]:
    """A time, as the reader's language has it."""
    language, there = spoken(call.request)[0], at.astimezone(call.request.app[ZONE]())
    year = there.year != call.request.app[NOW]().astimezone(call.request.app[ZONE]()).year
    return {"day": day_of(there.date(), language, year=year), "time": time_of(there, language)}


async def show_times(call: Call) -> Mapping[str, object]:
    """Free times of two weeks, the first that have any, or from a day on that was asked for."""
    app, there = call.request.app, await found(call)
    zone = app[ZONE]()
    times = await app[STORE].bookings.times(there.availability, of_feed(there.availability.owner), zone)
    free = [at.astimezone(zone) for at in times]
    first = asked_day(call.request) or (free[0].date() if free else None)
    until = first + timedelta(days=SHOWN_DAYS) if first else None
    shown = [at for at in free if first and until and first <= at.date() < until]
    days = [
        (words(call, day[0])["day"], [(int(at.timestamp()), words(call, at)["time"]) for at in day])
        for day in (list(ats) for _, ats in groupby(shown, key=lambda at: at.date()))
    ]
    open_until = closes(there.availability.hour, zone, app[NOW]())
    before = [at.date() for at in free if first and at.date() < first]
    return {
        "person": there.person,
        "minutes": there.availability.terms.minutes,
        "days": days,
        "here": f"/book/{call.path['page']}",
        "hour": time_of(open_until.astimezone(zone), there.language) if open_until else "",
        "earlier": max(before[0], first - timedelta(days=SHOWN_DAYS)).isoformat() if before and first else "",
        "later": next((at.date().isoformat() for at in free if until and at.date() >= until), ""),
    }


def asked_day(request: web.Request) -> date | None:
    """From which day on somebody wants to see times."""
    try:
        return date.fromisoformat(request.query.get("from", ""))
    except ValueError:
        return None


async def show_time(call: Call) -> Mapping[str, object]:
    """One of them: who it is for."""
    there, at = await found(call), wanted(call)
    return {
        "person": there.person,
        "minutes": there.availability.terms.minutes,
        "here": f"/book/{call.path['page']}",
        **words(call, at),
    }


async def hold(call: Call) -> None:
    """The time is theirs for ten minutes, and digits are mailed."""
    app, said, network = call.request.app, call.body, client_network(call.request)
    there, at = await found(call), wanted(call)
    await app[LIMITER].count(HOLDING_NETWORK, network)
    await app[LIMITER].count(BOOKED_MAIL, canonical(said.mail))
    booking = Wanted(at, said.name, said.mail, there.language, str(network or ""))

    def tell(owner: str, mail: str, language: Language, seed: str) -> Along:
        return app[STORE].notices.of(owner, News("booking", mail, language, {"digits": seed}))

    looking = of_feed(there.availability.owner)
    _, token = await app[STORE].bookings.hold(there.availability, looking, app[ZONE](), booking, tell)
    call.after.append(partial(go, f"/book/{call.path['page']}/held/{token}"))


async def go(where: str, response: web.StreamResponse) -> None:
    """To the page of what was made."""
    response.headers["Location"] = where


async def show_held(call: Call) -> Mapping[str, object]:
    """Until when, and where the digits went."""
    there, one = await held(call)
    until = time_of(one.until.astimezone(call.request.app[ZONE]()), there.language)
    return {
        "person": there.person,
        "hold": one,
        "until": until,
        "here": f"/book/{call.path['page']}",
        **words(call, one.starts_at),
    }


async def confirm(call: Call) -> Shown:
    """The appointment; its link comes by mail."""
    app, (there, one) = call.request.app, await held(call)
    scopes = of_feed(one.owner), of_practitioner(one.owner)
    made = await app[STORE].bookings.confirm(one, there.availability, *scopes, app[ZONE](), call.body.code)
    await app[STORE].audit.record(Act.APPOINTMENT_CREATED, PATIENT, appointment(made.owner, made.id), detail="booked")
    await app[SIGNALING].corrected(made)
    await tell(app, made.owner, "booked")
    shown = {"person": there.person, "mail": one.mail, "minutes": one.minutes, **words(call, one.starts_at)}
    return Shown("booking/booked.html", shown)


TIMES: Final = Page("/book/{page}", "booking/times.html", show_times, public=True)
TIME: Final = Page("/book/{page}/{time}", "booking/time.html", show_time, public=True)
HELD: Final = Page("/book/{page}/held/{token}", "booking/held.html", show_held, public=True)

TAKEN: Final = {"conflict": ("", "booking.taken"), "rate_limited": ("", "booking.busy")}

PAGES: Final = (TIMES, TIME, HELD)
FORMS: Final = (
    Form("/book/{page}/{time}/hold", TIME, Who, hold, says=TAKEN),
    Form("/book/{page}/held/{token}/confirm", HELD, Typed, confirm, says=TAKEN),
)
"""``pages`` has each page and each form."""
