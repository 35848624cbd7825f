"""One's own photograph: taken in, shown to who waits where that is wanted, taken back."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from practice.organisation.rights import Right
from practice.pictures.records import PICTURES
from signaling.rest.endpoint import Call
from signaling.rest.entries import own
from signaling.typedefs import INTAKE, STORE
from vault.audit import Act
from web.forms import Fields, Form, Page
from web.pictures import SAYS, address, taken


class Sent(Fields):
    """A file, in the version that the page showed."""

    picture: Annotated[bytes, Field(min_length=1)]
    version: int


class Seen(Fields):
    """Whether who waits sees it."""

    shown: bool = False
    version: int


class Nothing(Fields):
    """A button."""


async def show(call: Call) -> Mapping[str, object]:
    """As it is now."""
    found = await call.request.app[STORE].pictures.photograph(call.scope)
    return {
        "photograph": address(found) if found.there else None,
        "shown": found.shown,
        "version": found.version,
        "takes_files": call.request.app[INTAKE].on,
    }


async def change(call: Call) -> None:
    """Another one, as it was encoded here. Whether it is shown stays; a first one is not."""
    pictures = call.request.app[STORE].pictures
    made = await taken(call, call.body.picture, "photograph")
    before = await pictures.photograph(call.scope)
    await pictures.set_photograph(call.scope, made, before.shown, call.body.version)


async def let_see(call: Call) -> None:
    """Shown to who waits, or not any more."""
    await call.request.app[STORE].pictures.show(call.scope, call.body.shown, call.body.version)


async def remove(call: Call) -> None:
    """It goes, irrecoverably. Errors: ``not_found``, where there is none."""
    store = call.request.app[STORE]
    found = await store.pictures.photograph(call.scope)
    await store.retention.destroy(call.scope, found.id, PICTURES)


CHANGED: Final = own(Act.PICTURE_CHANGED, "photograph")
PHOTOGRAPH: Final = Page("/account/photograph", "account/photograph.html", show, right=Right.ACCOUNT)

PAGES: Final = (PHOTOGRAPH,)
FORMS: Final = (
    Form("/account/photograph/change", PHOTOGRAPH, Sent, change, done="saved", entered=CHANGED, says=SAYS),
    Form("/account/photograph/shown", PHOTOGRAPH, Seen, let_see, done="saved", entered=CHANGED),
    Form("/account/photograph/remove", PHOTOGRAPH, Nothing, remove, done="removed", entered=CHANGED),
)
"""``pages`` has each page and each form."""
