"""An appointment of somebody whom an assistant works for, corrected without scripts: by the rules of the desk."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Annotated, Final

from pydantic import Field

from practice.agenda.changes import MAX_NAME, Correction
from practice.agenda.model import Appointment
from practice.organisation.rights import Right
from signaling.protocol.errors import Doubtful, UserError
from signaling.rest.appointments import corrected, moved_doubtfully
from signaling.rest.endpoint import Call
from signaling.typedefs import STORE, ZONE
from vault.audit import Act, Draft, appointment, practitioner
from web.forms import Form, Page
from web.forms.doubts import demand_meant
from web.locale import NAMES
from web.practice.served import LENGTHS, Planned, acting, by_the_clock, entered, named

PATH: Final = "/served/{practitioner}/appointments/{appointment}"


class Corrected(Planned):
    """All of it, in the version that the page showed."""

    version: Annotated[int, Field(ge=1)]


async def show(call: Call) -> Mapping[str, object]:
    """As it is now. Errors: ``ended``; ``not_found``."""
    app, scope = call.request.app, await acting(call)
    served, one = await named(call, scope), await app[STORE].appointments.get(scope, call.path["appointment"])
    if one.state != "planned":
        raise UserError("ended")
    starts_at = one.starts_at.astimezone(app[ZONE]())
    return {
        "name": served.name,
        "practitioner": scope.person,
        "one": one,
        "day": starts_at.date().isoformat(),
        "time": f"{starts_at:%H:%M}",
        "lengths": sorted({*LENGTHS, one.minutes}),
        "names": list(NAMES.items()),
        "most": MAX_NAME,
    }


async def correct(call: Call) -> Appointment:
    """Only what differs from what is stored: what somebody else corrects beside it stays theirs."""
    app, scope, said, wanted = call.request.app, await acting(call), call.body, call.path["appointment"]
    found = await app[STORE].appointments.get(scope, wanted)
    correction = Correction(
        said.version,
        None if said.patient.strip() == found.patient else said.patient,
        moved_to(call, found.starts_at, said.day, said.time),
        None if said.minutes == found.minutes else said.minutes,
        None if said.language == found.language else said.language,
    )
    if said.version == found.version:
        if correction.patient is not None:
            demand_meant(said, "patient")
        doubts = [] if said.anyway else await moved_doubtfully(app, scope, found, correction)
        if doubts:
            raise Doubtful(doubts)
    return await entered(call, Act.APPOINTMENT_CHANGED, await corrected(call, scope, wanted, correction))


def moved_to(call: Call, now: datetime, day: date, at: time) -> datetime | None:
    """When it shall begin; None where that is the minute in which it begins anyway."""
    starts_at = by_the_clock(call, day, at)
    same = now.astimezone(UTC).replace(second=0, microsecond=0) == starts_at.astimezone(UTC)
    return None if same else starts_at


def looked_at(call: Call, page: Mapping[str, object]) -> Draft:
    one = page["one"]
    assert isinstance(one, Appointment)
    return Draft(Act.APPOINTMENT_READ, practitioner(call.practitioner), appointment(one.owner, one.id))


CORRECT: Final = Page(PATH, "practice/served_one.html", show, entered=looked_at, right=Right.ASSIST)

PAGES: Final = (CORRECT,)
FORMS: Final = (
    Form(
        f"{PATH}/correct",
        CORRECT,
        Corrected,
        correct,
        done="saved",
        says={"doubtful": ("anyway", "served.doubtful"), "bad_state": ("", "correct.running")},
    ),
)
"""``pages`` has each page and each form."""
