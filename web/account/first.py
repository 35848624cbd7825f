"""The page behind the first link: the first account, and the organisation that it owns."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Final

from aiohttp import web
from pydantic import Field

from practice.accounts.model import Language, Practitioner
from practice.organisation.model import Profile
from signaling import sessions
from signaling.protocol.errors import UserError
from signaling.rest.endpoint import Call
from signaling.typedefs import STORE
from vault.audit import Act, Draft, practitioner
from web.forms import Fields, Form, Page, Secret
from web.locale import NAMES
from web.naming import PRACTICE


class Beginning(Fields):
    """Who somebody is, and what their organisation is called."""

    display_name: Annotated[str, Field(min_length=1, max_length=200)]
    mail: Annotated[str, Field(min_length=1, max_length=254)]
    password: Annotated[Secret, Field(min_length=8, max_length=1024)]
    language: Language
    organisation: Annotated[str, Field(min_length=1, max_length=200)]
    address: Annotated[str, Field(max_length=400)]
    phone: Annotated[str, Field(max_length=40)]
    zone: Annotated[str, Field(min_length=1, max_length=64)]


async def show(call: Call) -> Mapping[str, object]:
    """The form, with what the operator's settings say. To look is no use of the link."""
    app = call.request.app
    if not await app[STORE].organisation.is_first(call.path["link"]):
        raise UserError("link_invalid")
    return {"names": list(NAMES.items())}


async def begin(call: Call) -> Practitioner:
    """Both, and whoever did it is signed in."""
    app, said = call.request.app, call.body
    profile = Profile(said.organisation, said.address, said.phone, said.language, said.zone)
    password = said.password.get_secret_value()
    person = await app[STORE].organisation.begin(
        call.path["link"], said.mail, password, said.display_name, said.language, profile
    )
    await app[PRACTICE].look(app)
    call.after.append(partial(_sign_in, call, person))
    return person


async def _sign_in(call: Call, person: Practitioner, response: web.StreamResponse) -> None:
    await sessions.begin(call.request, response, person, "password")


def begun(_call: Call, person: Practitioner) -> Draft:
    return Draft(Act.ACCOUNT_ADDED, practitioner(person.id), practitioner(person.id))


FIRST: Final = Page("/first/{link}", "account/first.html", show, public=True)

PAGES: Final = (FIRST,)
COMMON: Final = {"password_common": ("password", "error.password_common")}
FORMS: Final = (Form("/first/{link}/begin", FIRST, Beginning, begin, entered=begun, goes="/account", says=COMMON),)
"""``pages`` has each page and each form."""
