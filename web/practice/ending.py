"""The organisation ends: all accounts, all appointments, and it (S-28)."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from practice.organisation.rights import Right
from signaling.dissolving import AT_MOST
from signaling.protocol.errors import UserError
from signaling.rest import account
from signaling.rest.appointments import receipt_view
from signaling.rest.endpoint import Call
from signaling.rest.entries import own
from signaling.typedefs import DISSOLVING, STORE
from vault.audit import Act
from web.forms import NOT_ASKED, Fields, Form, Page, Password, Shown
from web.locale import CATALOGUES, EVERYWHERE

MINUTES: Final = AT_MOST.seconds // 60
WAIT_SECONDS: Final = 15.0
"""So long the answer waits, to show a receipt."""


class Meant(Fields):
    """What it is called, typed once more, and the password."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    password: Password = NOT_ASKED


async def show(call: Call) -> Mapping[str, object]:
    """What ends."""
    roster = await call.request.app[STORE].organisation.roster(call.scope)
    return {
        "name": await called(call),
        "people": len(roster.people) + len(roster.damaged),
        "minutes": MINUTES,
    }


async def end(call: Call) -> Shown:
    """From here on it does, whatever becomes of this server."""
    app = call.request.app
    if call.body.name.strip() != await called(call):
        raise UserError("invalid", field="name")
    await account.confirmed(call, call.body.password.get_secret_value())
    organisation = await app[STORE].endings.begin(call.scope)
    receipt = await app[DISSOLVING].ended(organisation, WAIT_SECONDS)
    said = {"receipt": receipt and receipt_view(receipt), "minutes": MINUTES}
    return Shown("practice/ended.html", said)


async def called(call: Call) -> str:
    """Its name; of one that has none, the name at the head of its pages."""
    found = await call.request.app[STORE].organisation.get(call.scope)
    return found.profile.name or CATALOGUES[EVERYWHERE].text("brand")


ENDED: Final = own(Act.ORGANISATION_ENDED)
ENDING: Final = Page("/practice/ending", "practice/ending.html", show, right=Right.END_ORGANISATION)

PAGES: Final = (ENDING,)
FORMS: Final = (
    Form(
        "/practice/ending/end",
        ENDING,
        Meant,
        end,
        entered=ENDED,
        says={"sign_in_refused": ("password", "password.wrong"), "invalid": ("name", "dissolving.problem.name")},
    ),
)
