"""Handing one patient who waits over to a colleague, by who sees them; their assistants do so at ``served``."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from practice.agenda.model import Appointment
from practice.organisation.rights import Right
from signaling.gate import SIGNALING
from signaling.protocol.errors import UserError
from signaling.rest.endpoint import Call
from signaling.typedefs import STORE
from vault.audit import Act, Draft, appointment, practitioner
from vault.records.scope import Scope
from web.forms import Fields, Form, Page, Shown
from web.render import translated


class Colleague(Fields):
    """Whose patient it is from now on."""

    to: Annotated[str, Field(min_length=1, max_length=22)]


async def waits(call: Call, scope: Scope, wanted: str) -> Appointment:
    """The appointment of somebody who waits. Errors: ``not_found`` (also where nobody does), ``gone``."""
    found = await call.request.app[STORE].appointments.get(scope, wanted)
    consult = await call.request.app[SIGNALING].consults.live.load(wanted)
    if consult is None or not consult.waiting:
        raise UserError("not_found")
    return found


async def takers(call: Call, scope: Scope) -> list[tuple[str, str]]:
    """Colleagues by name, and which of them are away just now."""
    app, t = call.request.app, translated(call.request)
    found = [(one.account, one.name) for one in await app[STORE].handing.colleagues(scope) if one.name]
    said = await app[SIGNALING].consults.beside.announcements.of([account for account, _ in found])
    away = t("announce.status.away")
    return [(one, f"{name} ({away})" if said[one].status == "away" else name) for one, name in found]


async def show(call: Call) -> Mapping[str, object]:
    """Whom it is about, and who can take them."""
    found = await waits(call, call.scope, call.path["appointment"])
    return {"patient": found.patient, "takers": await takers(call, call.scope)}


async def hand_over(call: Call) -> Shown:
    """They go on waiting, for the other."""
    found = await waits(call, call.scope, call.path["appointment"])
    await call.request.app[STORE].handing.hand_one(call.scope, found.id, call.body.to)
    return Shown("practice/passed_on.html", {"patient": found.patient})


def read(call: Call, _: Mapping[str, object]) -> Draft:
    whose = appointment(call.practitioner, call.path["appointment"])
    return Draft(Act.APPOINTMENT_READ, practitioner(call.practitioner), whose)


WAITS: Final = Page("/waits/{appointment}", "practice/passing_on.html", show, entered=read, right=Right.AGENDA)
TOO_LATE: Final = {"bad_state": ("", "passing.late"), "conflict": ("", "handing.busy")}

PAGES: Final = (WAITS,)
FORMS: Final = (Form(f"{WAITS.path}/hand-over", WAITS, Colleague, hand_over, says=TOO_LATE),)
"""``pages`` has each page and each form."""
