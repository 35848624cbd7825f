"""Sight of a member's agenda: one who looks after the organisation asks, another one gives it, for an hour."""

from collections.abc import Mapping
from typing import Annotated, Final, get_args

from pydantic import Field

from practice.factors import codes
from practice.notices.model import News
from practice.organisation.rights import Right
from practice.sights.model import NamedSight, Sight, SightReason
from signaling.gate import SIGNALING
from signaling.rest import factors
from signaling.rest.endpoint import Call
from signaling.typedefs import STORE, ZONE
from vault.audit import Act, Draft, practitioner
from vault.errors import DomainError, Unreadable
from web.forms import NOT_ASKED, PROOF, Fields, Form, Page, Password, Shown
from web.practice.people import looked_at

REASONS: Final[tuple[SightReason, ...]] = get_args(SightReason)


class Which(Fields):
    """One of them, as the page showed it."""

    sight: Annotated[str, Field(min_length=1, max_length=64)]


class Proof(Fields):
    """That it is really who is signed in."""

    password: Password = NOT_ASKED
    code: Annotated[str, Field(max_length=codes.LONGEST)] = ""


class Wanted(Proof):
    """Why: of a list, for what somebody types could say anything about anybody."""

    reason: SightReason


class Given(Proof, Which):
    """What somebody else asked for."""


async def show(call: Call) -> Mapping[str, object]:
    """Whose agenda it would be, what waits or is open, and what was before."""
    store, account = call.request.app[STORE], call.path["account"]
    person = await store.organisation.person(call.scope, account)
    found = await store.sights.of(call.scope, account)
    now = next((one for one in found if one.phase in ("waiting", "open")), None)
    return {
        "person": person,
        "now": now,
        "before": [one for one in found if one is not now],
        "me": call.practitioner,
        "reasons": REASONS,
        "asks": await factors.asks_for_code(call),
    }


async def ask(call: Call) -> Sight:
    """Nothing is to be seen before somebody else gives it, and all who could are told by mail, in the same transaction.

    What is refused anyway uses up no code.
    """
    store, account, said = call.request.app[STORE], call.path["account"], call.body
    found = await store.sights.of(call.scope, account)
    if account == call.practitioner:
        raise DomainError("not_found")
    if any(one.phase in ("waiting", "open") for one in found):
        raise DomainError("conflict")
    await factors.proved(call, said.password.get_secret_value(), said.code)
    others = await store.sights.givers(call.scope, account)
    told = [News("sight-asked", one.mail, one.language) for one in others]
    along = store.notices.of(str(call.scope.organisation), *told)
    return await store.sights.ask(call.scope, account, said.reason, along)


async def give(call: Call) -> Sight:
    """From now on, for an hour. Mail to the practitioner is in the same transaction, and the desk says it at once."""
    app, said = call.request.app, call.body
    store, one = app[STORE], (await chosen(call)).sight
    if call.practitioner in (one.asker, one.account):
        raise DomainError("not_found")
    await factors.proved(call, said.password.get_secret_value(), said.code)
    person = (await store.organisation.person(call.scope, one.account)).account
    if person is None:
        raise Unreadable
    told = store.notices.of(person.id, News("sight-given", person.mail, person.language))
    given = await store.sights.approve(call.scope, one.id, told)
    await app[SIGNALING].sight_given(one.account)
    return given


async def end(call: Call) -> Sight:
    """Refused, taken back, or ended before its time."""
    return await call.request.app[STORE].sights.end(call.scope, call.body.sight)


async def look(call: Call) -> Shown:
    """Times and labels, once: no address brings them back."""
    app = call.request.app
    seen = await app[STORE].sights.look(call.scope, (await chosen(call)).sight.id, app[ZONE]())
    person = await app[STORE].organisation.person(call.scope, seen.sight.account)
    return Shown("practice/sighted.html", {"person": person, "seen": seen})


async def chosen(call: Call) -> NamedSight:
    """Of this page's agenda. Errors: ``not_found``; ``conflict``, where it waits no longer and is not open."""
    found = await call.request.app[STORE].sights.of(call.scope, call.path["account"])
    one = next((one for one in found if one.sight.id == call.body.sight), None)
    if one is None:
        raise DomainError("not_found")
    if one.phase not in ("waiting", "open"):
        raise DomainError("conflict")
    return one


def asked(call: Call, one: Sight) -> Draft:
    return Draft(Act.SIGHT_ASKED, practitioner(call.practitioner), practitioner(one.account), one.reason)


def given(call: Call, one: Sight) -> Draft:
    return Draft(Act.SIGHT_GIVEN, practitioner(call.practitioner), practitioner(one.account))


def used(call: Call, _shown: object) -> Draft:
    return Draft(Act.SIGHT_USED, practitioner(call.practitioner), practitioner(call.path["account"]))


def ended(call: Call, one: Sight) -> Draft:
    refused = "withdrawn" if one.ender == one.asker else "refused"
    detail = refused if one.given is None else "ended"
    return Draft(Act.SIGHT_ENDED, practitioner(call.practitioner), practitioner(one.account), detail)


PROVED: Final = PROOF | {"bad_state": ("password", "sight.factor")}
LATE: Final = {"conflict": ("", "sight.late")}

SIGHT: Final = Page(
    "/practice/people/{account}/sight", "practice/sight.html", show, entered=looked_at, right=Right.SIGHT
)

PAGES: Final = (SIGHT,)
FORMS: Final = (
    Form(
        "/practice/people/{account}/sight/ask",
        SIGHT,
        Wanted,
        ask,
        done="sight-asked",
        entered=asked,
        says=PROVED | {"conflict": ("reason", "sight.conflict")},
    ),
    Form(
        "/practice/people/{account}/sight/give",
        SIGHT,
        Given,
        give,
        done="sight-given",
        entered=given,
        says=PROVED | LATE,
    ),
    Form("/practice/people/{account}/sight/end", SIGHT, Which, end, done="sight-ended", entered=ended, says=LATE),
    Form("/practice/people/{account}/sight/look", SIGHT, Which, look, entered=used, says=LATE),
)
"""``pages`` has each page and each form."""
