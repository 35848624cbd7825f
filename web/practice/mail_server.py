"""By which mail server an organisation sends: written, tried, taken out; what was written is never shown again."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from practice.accounts.store import MAX_MAIL
from practice.mail_servers.model import Access, Encrypted
from practice.mailboxes import host_name
from practice.notices.model import News
from practice.organisation.rights import Right
from signaling.limiter import MAIL_TESTS
from signaling.protocol.errors import UserError
from signaling.rest.endpoint import Call
from signaling.rest.entries import own
from signaling.typedefs import DOOR, LIMITER, POSTMAN, STORE
from vault.audit import Act, practitioner
from web.forms import Fields, Form, Page, Secret, Shown, Wrong
from web.practice.menu import menu


class Written(Fields):
    """All of it, in the version that the page showed. Nobody signs in where user and password are empty."""

    host: Annotated[str, Field(min_length=1, max_length=253)]
    port: Annotated[int, Field(ge=1, le=65_535)]
    security: Encrypted
    user: Annotated[str, Field(max_length=255)]
    password: Annotated[Secret, Field(max_length=1024)]
    sender: Annotated[str, Field(min_length=3, max_length=MAX_MAIL)]
    version: int


class Which(Fields):
    """That which the page showed."""

    version: int


async def show(call: Call) -> Mapping[str, object]:
    """Since when there is one, and from which address its mail comes: no more of it."""
    app = call.request.app
    found = await app[STORE].mail_servers.of(call.scope)
    return {
        "mail": app[POSTMAN] is not None,
        "version": found.version if found else 0,
        "since": found and found.since,
        "sender": found and found.access.sender,
        "hosts": sorted(app[DOOR].hosts),
        "menu": menu(call),
    }


async def write(call: Call) -> None:
    """Another one, on a host that the operator listed."""
    app, asked = call.request.app, call.body
    if app[POSTMAN] is None:
        raise UserError("not_found")
    host = listed(call, asked.host)
    access = Access(host, asked.port, asked.security, asked.user, asked.password.get_secret_value(), asked.sender)
    free = host in app[DOOR].local
    await app[STORE].mail_servers.write(call.scope, access, asked.version, port_is_free=free)


def listed(call: Call, host: str) -> str:
    """As the operator has it. Errors: ``Wrong`` for one that is not listed."""
    try:
        name = host_name(host)
    except ValueError:
        raise Wrong({"host": "wrong"}) from None
    if name not in call.request.app[DOOR].hosts:
        raise Wrong({"host": "choice"})
    return name


async def try_out(call: Call) -> Shown:
    """A mail to oneself by it, and in words what came of it."""
    app = call.request.app
    postman, found = app[POSTMAN], await app[STORE].mail_servers.of(call.scope)
    if postman is None or found is None:
        raise UserError("not_found")
    await app[LIMITER].count(MAIL_TESTS, call.practitioner)
    person = await app[STORE].practitioners.get(call.scope)
    fault = await postman.try_out(found.owner, News("mail-test", person.mail, person.language))
    step = fault.step if fault else "accepted"
    await app[STORE].audit.record(Act.MAIL_TESTED, practitioner(call.practitioner), detail=step)
    shown = {"step": step, "code": fault and fault.code, "to": person.mail, "menu": menu(call)}
    return Shown("practice/mail_tested.html", shown)


async def remove(call: Call) -> None:
    """The operator's again."""
    await call.request.app[STORE].mail_servers.remove(call.scope, call.body.version)


WRITTEN: Final = own(Act.MAIL_SERVER_CHANGED, "set")
REMOVED: Final = own(Act.MAIL_SERVER_CHANGED, "removed")
MAIL_SERVER: Final = Page("/practice/mail-server", "practice/mail_server.html", show, right=Right.POLICIES)

PAGES: Final = (MAIL_SERVER,)
FORMS: Final = (
    Form("/practice/mail-server/write", MAIL_SERVER, Written, write, done="saved", entered=WRITTEN),
    Form("/practice/mail-server/try", MAIL_SERVER, Which, try_out),
    Form("/practice/mail-server/remove", MAIL_SERVER, Which, remove, done="removed", entered=REMOVED),
)
"""``pages`` has each page and each form."""
