"""For whoever is not signed in: a form that asks for a right, and what stands behind the link to a request.

A form with an address shows no link: it is mailed there, and the page is that of a first request, so that whoever types
another's learns nothing. The address of a request's page is a secret, as that of every page behind a link.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Final

from pydantic import Field

from practice.identity_papers.store import is_taken
from practice.requests import clock
from practice.requests.model import MOST, Request
from practice.requests.store import zone_of
from signaling.addresses import client_network, public_origin
from signaling.limiter import REQUEST_LINKS, REQUESTING_NETWORK
from signaling.requesting import entry
from signaling.rest.endpoint import Call
from signaling.scopes import of_server
from signaling.typedefs import INTAKE, LIMITER, NOW, POSTMAN, REQUESTING, SETTINGS, STORE
from vault.audit import PATIENT, SERVER, Act, Draft
from vault.errors import DomainError
from vault.records.content import new_id
from web.forms import Fields, Form, Page, Shown
from web.forms.doubts import demand_meant
from web.requests.facts import Asked, choices, facts, filing
from web.requests.minors import named

SOMEBODY: Final = SERVER
"""Of whoever is not signed in and has no patient's link nobody knows more."""


class ByForm(Asked):
    """With where to answer; ``once`` is what the page held, so that it is filed once however often it is sent."""

    mail: Annotated[str, Field(max_length=254)] = ""
    once: Annotated[str, Field(min_length=1, max_length=64)]


class Reply(Fields):
    """To what was asked back."""

    text: Annotated[str, Field(min_length=1, max_length=2 * MOST)]


class Nothing(Fields):
    """A button."""


async def show(call: Call) -> Mapping[str, object]:
    """The form."""
    return {"once": new_id(), "mailed": call.request.app[POSTMAN] is not None, **choices()}


async def ask(call: Call) -> Shown:
    """Filed. With an address the link goes there, without one it is shown now and never again. A report of a child's
    data is of whose link stands in it; others, and what names none, are of the server's own organisation.
    """
    app, said = call.request.app, call.body
    demand_meant(said, "text")
    await app[LIMITER].count(REQUESTING_NETWORK, client_network(call.request))
    mail = said.mail.strip() if app[POSTMAN] is not None else ""
    about = await named(call) if said.what == "minor" else ""
    asked = filing(call, "form", mail=mail, once=said.once, about=about)
    filed = await app[REQUESTING].file(of_server(), asked, SOMEBODY)
    link = "" if mail else f"{public_origin(app[SETTINGS])}/request/{filed.token}"
    told = await as_new(call, filed.request) if mail else filed.request
    return Shown("requests/filed.html", {"fact": await facts(call, told), "link": link, "mailed": bool(mail)})


async def as_new(call: Call, one: Request) -> Request:
    """The same as if it were asked for now: whether the address has one open is told to nobody but by mail."""
    now = call.request.app[NOW]()
    return replace(one, asked=now, due=clock.due(now, await zone_of(one)))


async def found(call: Call) -> Request:
    """What the link leads to. Errors: ``link_invalid``, ``rate_limited`` (of who tries many that are none)."""
    app = call.request.app
    try:
        return await app[STORE].requests.of_link(call.path["token"])
    except DomainError as error:
        if error.code == "link_invalid":
            await app[LIMITER].count(REQUEST_LINKS, client_network(call.request))
        raise


async def show_one(call: Call) -> Mapping[str, object]:
    """How far it is, until when, what was asked back, and the answer where it may be read."""
    one = await found(call)
    return {
        "fact": await facts(call, one),
        "shows_paper": is_taken(one) and call.request.app[INTAKE].on,
        "identity": f"/identity/{call.path['token']}",
    }


async def confirm(call: Call) -> Request:
    """The address is theirs who got the link there."""
    await found(call)
    return await call.request.app[STORE].requests.confirm(call.path["token"])


async def reply(call: Call) -> Request:
    """To the question."""
    await found(call)
    return await call.request.app[STORE].requests.reply(call.path["token"], call.body.text)


def confirmed(_: Call, one: Request) -> Draft:
    return entry(Act.REQUEST_CONFIRMED, SOMEBODY, one)


def replied(_: Call, one: Request) -> Draft:
    return entry(Act.REQUEST_REPLIED, PATIENT if one.way == "link" else SOMEBODY, one)


ASK: Final = Page("/request", "requests/ask.html", show, public=True)
ONE: Final = Page("/request/{token}", "requests/one.html", show_one, public=True)

PAGES: Final = (ASK, ONE)
FORMS: Final = (
    Form("/request", ASK, ByForm, ask),
    Form("/request/{token}/confirm", ONE, Nothing, confirm, done="request-confirmed", entered=confirmed),
    Form(
        "/request/{token}/reply",
        ONE,
        Reply,
        reply,
        done="request-replied",
        entered=replied,
        says={"conflict": ("", "request.replied.before")},
    ),
)
"""``pages`` has each page and each form."""
