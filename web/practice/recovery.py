"""Lifting the second factor of a member who lost it, by an owner, with a reason."""

from collections.abc import Mapping
from typing import Annotated, Final, get_args

from pydantic import Field

from practice.factors import codes
from practice.notices.model import News, Reason
from practice.organisation.rights import Right
from signaling import leaving
from signaling.gate import SIGNALING
from signaling.rest import factors
from signaling.rest.endpoint import Call
from signaling.typedefs import STORE
from vault.audit import Act, Draft, practitioner
from vault.errors import DomainError
from web.forms import NOT_ASKED, PROOF, Fields, Form, Page, Password

REASONS: Final[tuple[Reason, ...]] = get_args(Reason)


class Lifted(Fields):
    """Why, which passkeys stay, and that it is the owner who asks."""

    reason: Reason
    keep: tuple[Annotated[str, Field(max_length=2048)], ...] = ()
    password: Password = NOT_ASKED
    code: Annotated[str, Field(max_length=codes.LONGEST)] = ""


async def show(call: Call) -> Mapping[str, object]:
    """What somebody has beside a password: never what anybody could sign in with."""
    store, account = call.request.app[STORE], call.path["account"]
    return {
        "person": await store.organisation.person(call.scope, account),
        "held": await store.recovery.of(call.scope, account),
        "reasons": REASONS,
        "mine": account == call.practitioner,
        "asks": await factors.asks_for_code(call),
    }


async def lift(call: Call) -> str:
    """Whoever lost it is told, signed out everywhere, and sets up another one with the password."""
    app, account, said = call.request.app, call.path["account"], call.body
    store = app[STORE]
    await factors.confirmed(call, said.password.get_secret_value(), said.code)
    person = (await store.organisation.person(call.scope, account)).account
    if person is None:
        raise DomainError("unreadable")
    told = store.notices.of(account, News("factor-lifted", person.mail, person.language, {"reason": said.reason}))
    await store.recovery.lift(call.scope, account, said.keep, told)
    await leaving.recovered(app[SIGNALING], account)
    return str(said.reason)


def read(call: Call, _shown: Mapping[str, object]) -> Draft:
    return Draft(Act.FACTORS_READ, practitioner(call.practitioner), practitioner(call.path["account"]))


def lifted(call: Call, reason: str) -> Draft:
    return Draft(Act.FACTOR_LIFTED, practitioner(call.practitioner), practitioner(call.path["account"]), reason)


FACTOR: Final = Page(
    "/practice/people/{account}/factor", "practice/factor.html", show, entered=read, right=Right.LIFT_FACTORS
)

PAGES: Final = (FACTOR,)
FORMS: Final = (
    Form(
        "/practice/people/{account}/factor/lift",
        FACTOR,
        Lifted,
        lift,
        done="factor-lifted",
        entered=lifted,
        says=PROOF | {"bad_state": ("", "people.factor.none")},
    ),
)
"""``pages`` has each page and each form."""
