"""The newsletter of one's organisation: asked for, confirmed behind a mailed link, left by one press or one click.

A look at a link changes nothing: programs that read mail open links too. The way out of a letter takes the POST of a
mail program (RFC 8058), which has no cookie and reads no page, and that of the page's own button.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final

from aiohttp import web

from practice.accounts.model import Practitioner
from practice.circulars.letter import LEAVING
from practice.circulars.model import Subscription
from practice.circulars.subscriptions import LIFE
from practice.notices.model import News
from practice.organisation.rights import Right
from signaling.addresses import client_network
from signaling.limiter import MAIL_CHANGES, RESET_NETWORK
from signaling.protocol.errors import ProtocolError, UserError
from signaling.rest.endpoint import Call, received
from signaling.rest.entries import own
from signaling.typedefs import LIMITER, POSTMAN, STORE
from vault.audit import Act, Draft, practitioner
from vault.records.writing import Along
from web.account.pages import Nothing
from web.forms import Form, Page, Shown


async def show(call: Call) -> Mapping[str, object]:
    """Whether it is on, waits for its link to be used, or is off."""
    app = call.request.app
    store = app[STORE].subscriptions
    found, person = await store.of(call.scope), await app[STORE].practitioners.get(call.scope)
    return {
        "found": found,
        "state": "on" if found and found.stands else "asked" if found and store.waits(found) else "off",
        "until": found.asked + LIFE if found else None,
        "objects": await store.objects(person),
        "person": person,
        "mail": app[POSTMAN] is not None,
    }


async def ask(call: Call) -> None:
    """A mail with a link goes to the account's own address; nothing else does before that was used."""
    app = call.request.app
    if app[POSTMAN] is None:
        raise UserError("not_found")
    await app[LIMITER].count(MAIL_CHANGES, f"newsletter {call.practitioner}")
    await app[STORE].subscriptions.ask(call.scope, partial(_tell, call))


def _tell(call: Call, person: Practitioner, seed: str) -> Along:
    news = News("newsletter", person.mail, person.language, {"newsletter": seed})
    return call.request.app[STORE].notices.of(person.id, news)


async def withdraw(call: Call) -> None:
    """At once, without a question."""
    await call.request.app[STORE].subscriptions.withdraw(call.scope)


async def show_confirming(call: Call) -> Mapping[str, object]:
    """The sentence that is agreed to."""
    found = await of_link(call.request)
    if not (found.stands or call.request.app[STORE].subscriptions.waits(found)):
        raise UserError("link_invalid")
    return {"found": found}


async def confirm(call: Call) -> Shown:
    """It is on from now on."""
    store = call.request.app[STORE]
    await of_link(call.request)
    found = await store.subscriptions.confirm(call.path["token"])
    if found is None:
        raise UserError("link_invalid")
    await store.audit.record(Act.NEWSLETTER_GIVEN, practitioner(found.owner))
    return Shown("account/newsletter_told.html", {"state": "on"})


async def show_leaving(call: Call) -> Mapping[str, object]:
    """A button."""
    return {"found": await of_link(call.request)}


async def leave(call: Call) -> Shown:
    """By the button."""
    await left(call.request)
    return Shown("account/newsletter_told.html", {"state": "off"})


async def one_click(request: web.Request) -> web.Response:
    """By a mail program, in either form that RFC 8058 has (3.2); answered without a redirect."""
    body = await received(request)
    if b"List-Unsubscribe" not in body or b"One-Click" not in body:
        raise ProtocolError("invalid")
    await left(request)
    return web.Response(text="")


async def left(request: web.Request) -> None:
    """Withdrawn by who has the link. Again is no other thing. Errors: ``link_invalid``, ``rate_limited``."""
    store, before = request.app[STORE], await of_link(request)
    found = await store.subscriptions.leave(request.match_info["token"])
    if found is not None and before.withdrawn is None:
        await store.audit.record(Act.NEWSLETTER_WITHDRAWN, practitioner(found.owner))


async def of_link(request: web.Request) -> Subscription:
    """Errors: ``link_invalid``, ``rate_limited`` for a network that tries many that are none."""
    app = request.app
    found = await app[STORE].subscriptions.of_link(request.match_info["token"])
    if found is None:
        await app[LIMITER].count(RESET_NETWORK, client_network(request))
        raise UserError("link_invalid")
    return found


def withdrawn(call: Call, _: object) -> Draft:
    return Draft(Act.NEWSLETTER_WITHDRAWN, practitioner(call.practitioner))


NEWSLETTER: Final = Page("/account/newsletter", "account/newsletter.html", show, right=Right.ACCOUNT)
CONFIRMING: Final = Page("/newsletter/confirm/{token}", "account/newsletter_confirm.html", show_confirming, public=True)
LEAVE: Final = f"{LEAVING}{{token}}"
"""Where a mail program sends its POST too."""

LEAVING_PAGE: Final = Page(LEAVE, "account/newsletter_leave.html", show_leaving, public=True)

PAGES: Final = (NEWSLETTER, CONFIRMING, LEAVING_PAGE)
FORMS: Final = (
    Form(
        "/account/newsletter/ask",
        NEWSLETTER,
        Nothing,
        ask,
        done="newsletter-asked",
        entered=own(Act.NEWSLETTER_ASKED),
        says={"conflict": ("", "newsletter.on")},
    ),
    Form("/account/newsletter/withdraw", NEWSLETTER, Nothing, withdraw, done="newsletter-off", entered=withdrawn),
    Form("/newsletter/confirm/{token}/give", CONFIRMING, Nothing, confirm),
    Form(f"{LEAVE}/stop", LEAVING_PAGE, Nothing, leave),
)
"""``pages`` has each page and each form."""
