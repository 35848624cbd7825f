"""What a practitioner asks of whoever comes, before the waiting room (S-44)."""

from collections.abc import Mapping
from typing import Final, Literal

from practice.consents.model import ASKABLE, AskedConsents
from practice.organisation.rights import Right
from signaling.rest.endpoint import Call
from signaling.typedefs import STORE
from vault.audit import Act, Draft, practitioner
from web.forms import Fields, Form, Page

Ask = Literal["video", "house"]


class Asked(Fields):
    """All of it, in the version that the page showed."""

    asks: tuple[Ask, ...] = ()
    version: int


async def show(call: Call) -> Mapping[str, object]:
    """As it is now."""
    return {"asking": await call.request.app[STORE].consents.mine(call.scope), "askable": ASKABLE}


async def ask(call: Call) -> AskedConsents:
    """Something else, of what is planned from now on."""
    return await call.request.app[STORE].consents.ask(call.scope, call.body.asks, call.body.version)


def changed(call: Call, _result: object) -> Draft:
    return Draft(Act.CONSENTS_CHANGED, practitioner(call.practitioner))


ASKED: Final = Page("/account/consents", "account/consents.html", show, right=Right.CONSULT)

PAGES: Final = (ASKED,)
FORMS: Final = (Form("/account/consents/ask", ASKED, Asked, ask, done="saved", entered=changed),)
"""``pages`` has each page and each form."""
