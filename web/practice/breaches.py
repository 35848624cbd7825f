"""The register of breaches (S-52): what happened, the 72 hours of each, and who was told, kept by the officer alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import Field

from practice.breaches.model import MOST, RISKS, Breach, Facts, Phase, Risk
from practice.organisation.rights import Right
from signaling.rest.endpoint import Call
from signaling.typedefs import NOW, STORE, ZONE
from vault.audit import Act, Draft, breach, practitioner
from web.forms import Fields, Form, Page, Wrong
from web.practice.menu import menu

Text = Annotated[str, Field(max_length=2 * MOST)]
Moment = Annotated[str, Field(max_length=30)]


class New(Fields):
    """What is known at first."""

    found: Annotated[str, Field(min_length=1, max_length=30)]
    what: Annotated[str, Field(min_length=1, max_length=2 * MOST)]
    people: Annotated[str, Field(max_length=12, pattern=r"^[0-9]*$")] = ""


class Known(New):
    """What is known by now, in the version that the page showed."""

    risk: Risk
    measures: Text = ""
    told: Moment = ""
    late: Text = ""
    untold: Text = ""
    concerned: Moment = ""
    words: Text = ""
    version: int


@dataclass(frozen=True)
class Shown:
    """One, where it stands, and the hours that are left of its clock, negative when it is over."""

    one: Breach
    phase: Phase
    hours: int


async def show(call: Call) -> Mapping[str, object]:
    """All of them."""
    found = await call.request.app[STORE].breaches.of(call.scope)
    return {
        "breaches": [shown(call, one) for one in found.breaches],
        "unreadable": found.unreadable,
        "most": MOST,
        "now": typed(call, call.request.app[NOW]()),
        "menu": menu(call),
    }


async def show_one(call: Call) -> Mapping[str, object]:
    """One of them."""
    one = await call.request.app[STORE].breaches.get(call.scope, call.path["breach"])
    moments = {name: typed(call, getattr(one.facts, name)) for name in ("found", "told", "concerned")}
    return {"breach": shown(call, one), "moments": moments, "risks": RISKS, "most": MOST, "menu": menu(call)}


async def enter(call: Call) -> Breach:
    """Its clock runs from when it was found."""
    said = call.body
    facts = Facts(moment(call, "found", said.found), said.what, int(said.people) if said.people else None)
    return await call.request.app[STORE].breaches.enter(call.scope, facts)


async def change(call: Call) -> Breach:
    """All that is known, in place of what was."""
    said = call.body
    facts = Facts(
        found=moment(call, "found", said.found),
        what=said.what,
        people=int(said.people) if said.people else None,
        risk=said.risk,
        measures=said.measures,
        told=moment(call, "told", said.told) if said.told else None,
        late=said.late,
        untold=said.untold,
        concerned=moment(call, "concerned", said.concerned) if said.concerned else None,
        words=said.words,
    )
    return await call.request.app[STORE].breaches.change(call.scope, call.path["breach"], facts, said.version)


def shown(call: Call, one: Breach) -> Shown:
    """As of now."""
    now = call.request.app[NOW]()
    return Shown(one, one.phase(now), (one.due - now) // timedelta(hours=1))


def moment(call: Call, field: str, text: str) -> datetime:
    """A local moment as browsers send one, in the practice's zone; of an hour that is twice, the first.

    Errors: ``Wrong``.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Wrong({field: "wrong"}) from None
    if found.tzinfo is not None:
        raise Wrong({field: "wrong"})
    return found.replace(tzinfo=call.request.app[ZONE]())


def typed(call: Call, at: datetime | None) -> str:
    """The same as a field has it."""
    return "" if at is None else f"{at.astimezone(call.request.app[ZONE]()):%Y-%m-%dT%H:%M}"


def listed(call: Call, page: Mapping[str, Any]) -> Draft:
    return Draft(Act.BREACHES_LISTED, practitioner(call.practitioner), detail=str(len(page["breaches"])))


def looked_at(call: Call, page: Mapping[str, Any]) -> Draft:
    one = page["breach"].one
    return Draft(Act.BREACH_READ, practitioner(call.practitioner), breach(one.owner, one.id))


def entered(call: Call, one: Breach) -> Draft:
    return Draft(Act.BREACH_ENTERED, practitioner(call.practitioner), breach(one.owner, one.id))


def changed(call: Call, one: Breach) -> Draft:
    return Draft(Act.BREACH_CHANGED, practitioner(call.practitioner), breach(one.owner, one.id), one.facts.risk)


REGISTER: Final = Page("/practice/breaches", "practice/breaches.html", show, entered=listed, right=Right.REQUESTS)
ONE: Final = Page(
    "/practice/breaches/{breach}", "practice/breach.html", show_one, entered=looked_at, right=Right.REQUESTS
)

PAGES: Final = (REGISTER, ONE)
FORMS: Final = (
    Form("/practice/breaches/enter", REGISTER, New, enter, done="breach-entered", entered=entered),
    Form("/practice/breaches/{breach}/change", ONE, Known, change, done="saved", entered=changed),
)
"""``pages`` has each page and each form."""
