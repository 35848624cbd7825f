"""What the organisation says of itself, corrected in place (S-42)."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from practice.accounts.model import Language
from practice.organisation.model import Organisation, Profile
from practice.organisation.rights import Right
from signaling.rest.endpoint import Call
from signaling.rest.entries import own
from signaling.typedefs import STORE
from vault.audit import Act
from web.forms import Fields, Form, Page
from web.locale import NAMES
from web.naming import PRACTICE
from web.practice.menu import menu


class Said(Fields):
    """All of it, in the version that the page showed."""

    organisation: Annotated[str, Field(min_length=1, max_length=200)]
    address: Annotated[str, Field(max_length=400)]
    phone: Annotated[str, Field(max_length=40)]
    language: Language
    zone: Annotated[str, Field(min_length=1, max_length=64)]
    version: int


async def show(call: Call) -> Mapping[str, object]:
    """As it is now."""
    app = call.request.app
    found = await app[STORE].organisation.get(call.scope)
    return {"said": app[PRACTICE].of(found), "version": found.version, "names": list(NAMES.items()), "menu": menu(call)}


async def change(call: Call) -> Organisation:
    """Something else, which pages of this server say at once."""
    app, typed = call.request.app, call.body
    colours = (await app[STORE].organisation.get(call.scope)).profile.colours
    profile = Profile(typed.organisation, typed.address, typed.phone, typed.language, typed.zone, colours)
    changed = await app[STORE].organisation.change(call.scope, profile, typed.version)
    await app[PRACTICE].look(app)
    return changed


CHANGED: Final = own(Act.ORGANISATION_CHANGED)
ORGANISATION: Final = Page("/practice/organisation", "practice/organisation.html", show, right=Right.ORGANISATION)

PAGES: Final = (ORGANISATION,)
FORMS: Final = (Form("/practice/organisation/change", ORGANISATION, Said, change, done="saved", entered=CHANGED),)
"""``pages`` has each page and each form."""
