"""Who works for whoever is signed in, and what these see of patients."""

from collections.abc import Mapping
from typing import Annotated, Final, get_args

from pydantic import Field

from practice.assistants.model import Engagement
from practice.organisation.rights import Right
from signaling.rest.endpoint import Call
from signaling.typedefs import STORE
from vault.audit import Act, Draft, practitioner
from vault.records.scope import Label
from web.forms import Fields, Form, Page
from web.practice.assistants import Which, entered


class Seen(Fields):
    """How much one of them sees and whether they let somebody in, in the version that the page showed."""

    engagement: Annotated[str, Field(min_length=1, max_length=22)]
    label: Label
    admits: bool = False
    version: int


async def look(call: Call) -> Mapping[str, object]:
    """All of them."""
    found = await call.request.app[STORE].assistants.mine(call.scope)
    return {"assistants": found, "labels": get_args(Label)}


async def say(call: Call) -> Engagement:
    """More or less."""
    one: Seen = call.body
    assistants = call.request.app[STORE].assistants
    return await assistants.say(call.scope, one.engagement, one.label, one.admits, one.version)


async def part(call: Call) -> Engagement:
    """One of them works for somebody else from now on, or for nobody."""
    ended = await call.request.app[STORE].assistants.part(call.scope, call.body.engagement)
    return await entered(call, Act.ENGAGEMENT_ENDED, ended)


def changed(call: Call, one: Engagement) -> Draft:
    return Draft(Act.ENGAGEMENT_CHANGED, practitioner(call.practitioner), practitioner(one.account), one.label)


ASSISTANTS: Final = Page("/account/assistants", "account/assistants.html", look, right=Right.OWN_ASSISTANTS)

PAGES: Final = (ASSISTANTS,)
FORMS: Final = (
    Form("/account/assistants/say", ASSISTANTS, Seen, say, done="saved", entered=changed),
    Form("/account/assistants/part", ASSISTANTS, Which, part, done="released"),
)
"""``pages`` has each page and each form."""
