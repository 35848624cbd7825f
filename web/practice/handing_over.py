"""Handing over the appointments that a member has to come: to another practitioner, for good."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from practice.factors import codes
from practice.notices.model import News
from practice.organisation.rights import Right
from signaling.rest import factors
from signaling.rest.endpoint import Call
from signaling.typedefs import STORE
from vault.audit import Act, Draft, practitioner
from vault.errors import DomainError
from web.forms import NOT_ASKED, PROOF, Fields, Form, Page, Password


class Taker(Fields):
    """The account that they go to, and that it is really who is signed in who asks: nothing brings them back."""

    to: Annotated[str, Field(min_length=1, max_length=22)]
    password: Password = NOT_ASKED
    code: Annotated[str, Field(max_length=codes.LONGEST)] = ""


async def show(call: Call) -> Mapping[str, object]:
    """How many there are, and who can take them."""
    found = await call.request.app[STORE].handing.prospect(call.scope, call.path["account"])
    takers = [(one.member.account, one.account.display_name) for one in found.takers if one.account]
    asks = await factors.asks_for_code(call)
    return {"person": found.person, "remaining": found.remaining, "takers": takers, "asks": asks}


async def hand_over(call: Call) -> int:
    """All that can go now; the sweeps see to the rest. What is refused anyway uses up no code."""
    store, account, said = call.request.app[STORE], call.path["account"], call.body
    found = await store.handing.prospect(call.scope, account)
    if found.remaining.taker is not None:
        raise DomainError("conflict")
    taker = next((one.account for one in found.takers if one.account and one.account.id == said.to), None)
    if taker is None:
        raise DomainError("invalid", "to")
    await factors.confirmed(call, said.password.get_secret_value(), said.code)
    told = store.notices.of(taker.id, News("taken-over", taker.mail, taker.language))
    return await store.handing.hand_over(call.scope, account, taker.id, told if found.remaining.free else None)


def looked_at(call: Call, _: Mapping[str, object]) -> Draft:
    return Draft(Act.PEOPLE_LISTED, practitioner(call.practitioner), practitioner(call.path["account"]), "1")


def asked(call: Call, _: object) -> Draft:
    return Draft(Act.HANDING_OVER_ASKED, practitioner(call.practitioner), practitioner(call.path["account"]))


APPOINTMENTS: Final = Page(
    "/practice/people/{account}/appointments",
    "practice/handing_over.html",
    show,
    entered=looked_at,
    right=Right.HAND_OVER,
)

PAGES: Final = (APPOINTMENTS,)
FORMS: Final = (
    Form(
        "/practice/people/{account}/appointments/hand-over",
        APPOINTMENTS,
        Taker,
        hand_over,
        done="handed",
        entered=asked,
        says=PROOF | {"conflict": ("to", "handing.busy")},
        right=Right.HAND_OVER,
    ),
)
"""``pages`` has each page and each form."""
