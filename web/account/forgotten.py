"""For who forgot a password: a page that asks for an address, and one behind the link that was mailed."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from practice.accounts.store import PASSWORD_LENGTH
from practice.notices.model import News
from signaling.addresses import client_network
from signaling.gate import SIGNALING
from signaling.limiter import FORGOTTEN_NETWORK, RESET_NETWORK
from signaling.protocol.errors import UserError
from signaling.rest.endpoint import Call
from signaling.scopes import of_practitioner
from signaling.typedefs import FORGOTTEN, LIMITER, POSTMAN, STORE
from vault.audit import Act, practitioner
from web.forms import Fields, Form, Page, Secret, Shown, Wrong


class Address(Fields):
    """Of the account."""

    mail: Annotated[str, Field(min_length=3, max_length=254)]


class NewPassword(Fields):
    """Twice."""

    new: Annotated[Secret, Field(min_length=PASSWORD_LENGTH.start, max_length=PASSWORD_LENGTH.stop - 1)]
    again: Annotated[Secret, Field(min_length=1, max_length=1024)]


async def show(call: Call) -> Mapping[str, object]:
    """The question, or that nobody can be mailed here."""
    return {"mail": call.request.app[POSTMAN] is not None}


async def ask(call: Call) -> None:
    """Answered alike whatever the address is: who has it is looked up when the answer has left."""
    app = call.request.app
    await app[LIMITER].count(FORGOTTEN_NETWORK, client_network(call.request))
    if app[POSTMAN] is not None:
        app[FORGOTTEN].put(call.body.mail)


async def show_new(call: Call) -> Mapping[str, object]:
    """The form, while the link is good. A look uses nothing up: programs that read mail open links too."""
    await owner_of(call)
    return {}


async def change(call: Call) -> Shown:
    """A new password. Nobody is signed in any more, in whatever way; a second factor is asked for as before."""
    new, again = (one.get_secret_value() for one in (call.body.new, call.body.again))
    if new != again:
        raise Wrong({"again": "differs"})
    app, owner = call.request.app, await owner_of(call)
    store, scope = app[STORE], of_practitioner(owner)
    person = await store.practitioners.get(scope)
    told = store.notices.of(owner, News("password-changed", person.mail, person.language))
    if not await store.practitioners.set_password(scope, new, told, store.resets.using(call.path["token"])):
        raise UserError("link_invalid")
    await app[SIGNALING].sign_out(owner)
    await store.audit.record(Act.PASSWORD_RESET, practitioner(owner))
    return Shown("account/reset.html", {})


async def owner_of(call: Call) -> str:
    """Whose link it is. Errors: ``link_invalid``, ``rate_limited`` for a network that tries many that are none."""
    app = call.request.app
    owner = await app[STORE].resets.whose(call.path["token"])
    if owner is None:
        await app[LIMITER].count(RESET_NETWORK, client_network(call.request))
        raise UserError("link_invalid")
    return owner


ASKING: Final = Page("/forgotten", "account/forgotten.html", show, public=True)
CHOOSING: Final = Page("/forgotten/{token}", "account/new_password.html", show_new, public=True)

PAGES: Final = (ASKING, CHOOSING)
FORMS: Final = (
    Form("/forgotten", ASKING, Address, ask, done="forgotten"),
    Form(
        "/forgotten/{token}/password",
        CHOOSING,
        NewPassword,
        change,
        says={"password_common": ("new", "error.password_common")},
    ),
)
