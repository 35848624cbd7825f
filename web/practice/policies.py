"""What an organisation decides for everybody: the longest retention (S-29, S-32), and what a consult may have."""

from collections.abc import Mapping
from typing import Final, Literal, get_args

from practice.accounts.model import Retention
from practice.organisation.rights import Right
from practice.policies.model import CAPS, FEATURES, HOURS, Feature, Policy
from signaling.rest.endpoint import Call
from signaling.typedefs import STORE
from vault.audit import Act, Draft, practitioner
from web.forms import Fields, Form, Page, Wrong
from web.practice.menu import menu

Choice = Literal["any", "end", "24h", "7d", "30d", "90d"]


class Decided(Fields):
    """All of it, in the version that the page showed. ``sure``: what is too old by a shorter cap may go."""

    cap: Choice
    allowed: tuple[Feature, ...] = ()
    reminders: tuple[Literal["1", "2", "24", "48", "168"], ...] = ()
    sure: bool = False
    version: int


async def show(call: Call) -> Mapping[str, object]:
    """As it is now, and who set the cap."""
    store = call.request.app[STORE].policies
    policy = await store.of(call.scope)
    return {
        "policy": policy,
        "cap": policy.cap or "any",
        "setter": await store.cap(call.scope),
        "caps": get_args(Choice),
        "features": FEATURES,
        "hours": [str(one) for one in HOURS],
        "reminders": [str(one) for one in sorted(policy.reminders)],
        "allowed": [one for one in FEATURES if one not in policy.barred],
        "menu": menu(call),
    }


async def decide(call: Call) -> Policy:
    """Something else. A shorter cap destroys, so it is asked for twice."""
    store, asked = call.request.app[STORE].policies, call.body
    cap: Retention | None = None if asked.cap == "any" else asked.cap
    before = await store.of(call.scope)
    if shortens(before.cap, cap) and not asked.sure and asked.version == before.version:
        raise Wrong({"sure": "unticked"})
    barred = [one for one in FEATURES if one not in asked.allowed]
    return await store.change(call.scope, cap, barred, asked.version, [int(one) for one in asked.reminders])


def shortens(before: Retention | None, after: Retention | None) -> bool:
    """Whether something could be destroyed earlier than it was to be."""
    return after is not None and (before is None or CAPS.index(after) < CAPS.index(before))


def entered(call: Call, policy: Policy) -> Draft:
    return Draft(Act.POLICY_CHANGED, practitioner(call.practitioner), detail=policy.cap or "any")


POLICIES: Final = Page("/practice/policies", "practice/policies.html", show, right=Right.POLICIES)

PAGES: Final = (POLICIES,)
FORMS: Final = (Form("/practice/policies/decide", POLICIES, Decided, decide, done="saved", entered=entered),)
"""``pages`` has each page and each form."""
