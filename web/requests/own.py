"""One's own requests, for who is signed in: nothing more is asked of them to prove who they are (S-48)."""

from collections.abc import Mapping
from typing import Final

from practice.organisation.rights import Right
from practice.requests.model import Filed
from signaling.limiter import REQUESTING_PERSON
from signaling.rest.endpoint import Call
from signaling.typedefs import LIMITER, REQUESTING, STORE
from vault.audit import practitioner
from web.forms import Form, Page
from web.forms.doubts import demand_meant
from web.requests.facts import Asked, all_facts, choices, filing


async def show(call: Call) -> Mapping[str, object]:
    """All that one asked for, with what became of it, and the form."""
    requests = call.request.app[STORE].requests
    found = await requests.mine(call.scope)
    links = {one.id: f"/request/{requests.token(one.seed)}" for one in found.requests if one.phase == "asked"}
    return {
        "found": await all_facts(call, found.requests),
        "links": links,
        "unreadable": found.unreadable,
        **choices(),
    }


async def ask(call: Call) -> Filed:
    """Filed, by who is known; an answer goes to the account's address."""
    demand_meant(call.body, "text")
    app, by = call.request.app, practitioner(call.practitioner)
    await app[LIMITER].count(REQUESTING_PERSON, call.practitioner)
    return await app[REQUESTING].file(call.scope, filing(call, "dashboard"), by)


OWN: Final = Page("/account/requests", "requests/own.html", show, right=Right.ACCOUNT)

PAGES: Final = (OWN,)
FORMS: Final = (Form("/account/requests/ask", OWN, Asked, ask, done="request-filed"),)
"""``pages`` has each page and each form."""
