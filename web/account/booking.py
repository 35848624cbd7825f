"""What a practitioner offers for self-booking: hours, exceptions, and the address of the page."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final

from pydantic import Field

from practice.bookings.hours import exceptions, hours, typed, typed_exceptions
from practice.bookings.model import Availability, Hours, Terms
from practice.bookings.store import FURTHEST
from practice.organisation.rights import Right
from signaling.addresses import public_origin
from signaling.rest.endpoint import Call
from signaling.typedefs import SETTINGS, STORE
from vault.audit import Act, Draft, practitioner
from web.forms import Fields, Form, Page, Wrong
from web.moments import weekdays
from web.render import spoken

WEEK: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ORIGIN: Final = re.compile(r"https://[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[1-9]\d{1,4})?")
Day = Annotated[str, Field(max_length=120)]
Number = Annotated[str, Field(min_length=1, max_length=4, pattern=r"^\d+$")]


class Days(Fields):
    """Hours of a week and of single days, and how long each time is, in the version that the page showed."""

    monday: Day
    tuesday: Day
    wednesday: Day
    thursday: Day
    friday: Day
    saturday: Day
    sunday: Day
    exceptions: Annotated[str, Field(max_length=4000)]
    minutes: Number
    version: int


class Offered(Days):
    """All of it."""

    open: bool = False
    pause: Number
    notice: Number
    ahead: Number
    ancestors: Annotated[str, Field(max_length=1000)]


class Which(Fields):
    """That which the page showed."""

    version: int


async def show(call: Call) -> Mapping[str, object]:
    """As it is, and where it is found."""
    app, names = call.request.app, weekdays(spoken(call.request)[0])
    found = await app[STORE].bookings.of(call.scope)
    return {
        "offer": found,
        "address": f"{public_origin(app[SETTINGS])}/book/{found.token}" if found.token else "",
        "week": list(zip(WEEK, names, map(typed, found.terms.week), strict=True)),
        "exceptions": typed_exceptions(found.terms),
        "furthest": FURTHEST,
        "mail": app[STORE].notices.on,
    }


async def offer(call: Call) -> Availability:
    """These hours from now on."""
    said, wrong = call.body, dict[str, str]()
    week, special = typed_days(said, wrong)
    named = (part.rstrip("/").lower() for part in said.ancestors.split())
    ancestors = tuple(dict.fromkeys(part if "://" in part else f"https://{part}" for part in named))
    if not all(map(ORIGIN.fullmatch, ancestors)):
        wrong["ancestors"] = "wrong"
    if wrong:
        raise Wrong(wrong)
    minutes, pause, notice, ahead = (int(text) for text in (said.minutes, said.pause, said.notice, said.ahead))
    terms = Terms(week, special, minutes, pause, notice, ahead, ancestors, said.open)
    return await call.request.app[STORE].bookings.set_terms(call.scope, terms, said.version)


def typed_days(said: Days, wrong: dict[str, str]) -> tuple[tuple[Hours, ...], Mapping[date, Hours]]:
    """The hours of a week and of single days; what cannot be read is ``wrong``."""

    def read(name: str, reader: Any, empty: Any) -> Any:
        try:
            return reader(getattr(said, name))
        except ValueError:
            wrong[name] = "wrong"
            return empty

    return tuple(read(day, hours, ()) for day in WEEK), read("exceptions", exceptions, {})


async def readdress(call: Call) -> Availability:
    """What was given out leads nowhere any more."""
    return await call.request.app[STORE].bookings.readdress(call.scope, call.body.version)


def offered(call: Call, made: Availability) -> Draft:
    return Draft(
        Act.AVAILABILITY_CHANGED, practitioner(call.practitioner), detail="open" if made.terms.open else "closed"
    )


def readdressed(call: Call, _made: Availability) -> Draft:
    return Draft(Act.AVAILABILITY_CHANGED, practitioner(call.practitioner), detail="address")


BOOKING: Final = Page("/account/booking", "account/booking.html", show, right=Right.AGENDA)

PAGES: Final = (BOOKING,)
FORMS: Final = (
    Form("/account/booking/offer", BOOKING, Offered, offer, done="saved", entered=offered),
    Form("/account/booking/readdress", BOOKING, Which, readdress, done="saved", entered=readdressed),
)
"""``pages`` has each page and each form."""
