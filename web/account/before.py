"""Before a consult: how old its patient is then, whether who has to agree did, and a child received all the same."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import Field

from practice.agenda.ages import BANDS, LIFT_REASONS, Age, LiftReason
from practice.agenda.consenting import guardians
from practice.agenda.model import Appointment
from practice.consents.store import MAX_NOTE
from practice.organisation.rights import Right
from practice.questionnaires.store import MAX_NAME
from signaling.gate import SIGNALING
from signaling.rest.consents import asked_again
from signaling.rest.endpoint import Call
from signaling.typedefs import STORE
from vault.audit import Act, Draft, Party, appointment, practitioner
from web.forms import Fields, Form, Page, Wrong


class Old(Fields):
    """How old the patient is on that day; the day on which they become 16, where that decides."""

    band: Literal["none", "under-12", "12-15", "16"]
    sixteen: Annotated[str, Field(max_length=10)] = ""


class Lifting(Fields):
    """Why no guardian agrees first."""

    reason: LiftReason
    note: Annotated[str, Field(max_length=MAX_NOTE)] = ""


class Chosen(Fields):
    """What is asked before it, by the questionnaire's name; empty for nothing."""

    name: Annotated[str, Field(max_length=MAX_NAME)] = ""


async def show(call: Call) -> Mapping[str, object]:
    """As it is now. Errors: ``not_found`` (also for somebody else's), ``gone``."""
    store = call.request.app[STORE]
    one = await store.appointments.get(call.scope, call.path["appointment"])
    return {
        "one": one,
        "bands": ("none", *BANDS),
        "band": one.age.band or "none",
        "missing": (await store.consents.missing_in(call.scope, [one])).get(one.id),
        "guardians": [guest.name for guest in guardians(one)],
        "reasons": LIFT_REASONS,
        "most": MAX_NOTE,
        "names": [each.name for each in (await store.questionnaires.of(call.scope)).questionnaires],
        "answered": list(zip(one.questions, one.answers, strict=True)) if one.answers else [],
    }


async def say_age(call: Call) -> Appointment:
    """Whoever waits and has to agree to more by it is asked."""
    said = call.body
    age = Age(None if said.band == "none" else said.band, day(said.sixteen))
    after = await call.request.app[STORE].consents.say_age(call.scope, call.path["appointment"], age)
    await asked_again(call, after)
    return after


def day(typed: str) -> date | None:
    """Errors: ``Wrong``."""
    try:
        return date.fromisoformat(typed.strip()) if typed.strip() else None
    except ValueError:
        raise Wrong({"sixteen": "wrong"}) from None


async def lift(call: Call) -> Appointment:
    """The child may come in at once."""
    said, store = call.body, call.request.app[STORE].consents
    after = await store.lift(call.scope, call.path["appointment"], said.reason, said.note)
    await call.request.app[SIGNALING].told(after.owner)
    return after


async def choose(call: Call) -> Appointment:
    """What was answered to other questions goes."""
    store = call.request.app[STORE].questionnaires
    after = await store.choose(call.scope, call.path["appointment"], call.body.name)
    await call.request.app[SIGNALING].told(after.owner)
    return after


def read(call: Call, _shown: Mapping[str, object]) -> Draft:
    return Draft(Act.APPOINTMENT_READ, practitioner(call.practitioner), subject(call))


def changed(call: Call, _after: Appointment) -> Draft:
    return Draft(Act.APPOINTMENT_CHANGED, practitioner(call.practitioner), subject(call))


def lifted(call: Call, _after: Appointment) -> Draft:
    return Draft(Act.GUARDIAN_LIFTED, practitioner(call.practitioner), subject(call), detail=call.body.reason)


def subject(call: Call) -> Party:
    return appointment(call.practitioner, call.path["appointment"])


BEFORE: Final = Page("/account/before/{appointment}", "account/before.html", show, entered=read, right=Right.CONSULT)

LATE: Final = {"ended": ("", "error.ended"), "bad_state": ("", "before.lift.needless")}

PAGES: Final = (BEFORE,)
FORMS: Final = (
    Form("/account/before/{appointment}/age", BEFORE, Old, say_age, done="saved", entered=changed, says=LATE),
    Form("/account/before/{appointment}/choose", BEFORE, Chosen, choose, done="saved", entered=changed, says=LATE),
    Form("/account/before/{appointment}/lift", BEFORE, Lifting, lift, done="lifted", entered=lifted, says=LATE),
)
"""``pages`` has each page and each form."""
