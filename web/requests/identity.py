"""Where somebody whom nobody knows shows who they are: a picture of a paper that they made black in four places first.

The browser makes the new picture (``static/pages/masking.js``); the chosen file is in no form and is sent by nothing.
Here it is looked over once more, and of what comes nothing else is kept (S-48).
"""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from practice.identity_papers.store import is_taken
from practice.pictures.masking import LEAST
from practice.requests.model import Request
from signaling.addresses import client_network
from signaling.limiter import PAPERS_NETWORK, PAPERS_SENT
from signaling.rest.endpoint import Call
from signaling.typedefs import INTAKE, LIMITER, STORE
from vault.audit import SERVER, Act, Draft, request
from vault.errors import DomainError
from web.forms import Fields, Form, Page, Wrong
from web.pictures import SAYS
from web.requests.public import found

PLACES: Final = {
    "photo": (0.05, 0.25, 0.28, 0.42),
    "mrz": (0.04, 0.8, 0.92, 0.15),
    "document": (0.66, 0.06, 0.28, 0.08),
    "citizen": (0.4, 0.6, 0.3, 0.08),
}
"""Where a box is before somebody moves it, and how large, in parts of the picture."""


class Masked(Fields):
    """A new picture, where its boxes are, and that whoever sends it saw what is left."""

    picture: Annotated[bytes, Field(min_length=1)]
    boxes: Annotated[str, Field(max_length=100)]
    covered: bool = False


async def show(call: Call) -> Mapping[str, object]:
    """What happens, and the boxes; or that none is asked for."""
    one = await found(call)
    return {
        "taken": is_taken(one),
        "known": one.decided is None,
        "takes_files": call.request.app[INTAKE].on,
        "most": call.request.app[INTAKE].most,
        "boxes": [(name, PLACES[name], LEAST[name]) for name in PLACES],
        "back_to": f"/request/{call.path['token']}",
    }


async def send(call: Call) -> Request:
    """Looked over, encoded anew, and kept until somebody sees it."""
    app, said = call.request.app, call.body
    one = await found(call)
    if not is_taken(one):
        raise DomainError("conflict")
    if not said.covered:
        raise Wrong({"covered": "unticked"})
    await app[LIMITER].count(PAPERS_NETWORK, client_network(call.request))
    await app[LIMITER].count(PAPERS_SENT, one.id)
    made = await app[INTAKE].take_masked(said.picture, said.boxes)
    return await app[STORE].identity_papers.put(call.path["token"], made)


def sent(_: Call, one: Request) -> Draft:
    return Draft(Act.PAPER_SENT, SERVER, request(one.owner, one.id))


IDENTITY: Final = Page("/identity/{token}", "requests/identity.html", show, public=True)

PAGES: Final = (IDENTITY,)
FORMS: Final = (
    Form(
        "/identity/{token}/send",
        IDENTITY,
        Masked,
        send,
        done="paper-sent",
        entered=sent,
        says={
            **SAYS,
            "picture_unreadable": ("picture", "identity.unreadable"),
            "picture_unmasked": ("picture", "error.picture_unmasked"),
            "conflict": ("", "identity.not_needed"),
        },
    ),
)
"""``pages`` has each page and each form."""
