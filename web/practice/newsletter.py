"""The newsletter as who writes it has it: a draft, what it will look like, what was sent, and numbers; no names."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from practice.accounts.model import Language
from practice.circulars.model import Circular, Use
from practice.circulars.store import LONGEST_SUBJECT, LONGEST_TEXT
from practice.organisation.rights import Right
from signaling.protocol.errors import UserError
from signaling.rest.endpoint import Call
from signaling.rest.entries import own
from signaling.typedefs import POSTMAN, PRESS, STORE
from vault.audit import Act, Draft, practitioner
from web.forms import Fields, Form, Page
from web.forms.doubts import Doubted, demand_meant
from web.forms.pages import Entry
from web.locale import NAMES
from web.practice.menu import menu


class Written(Doubted):
    """All of a draft, in place of the version that the page showed; 0 where there was none."""

    subject: Annotated[str, Field(min_length=1, max_length=LONGEST_SUBJECT)]
    text: Annotated[str, Field(min_length=1, max_length=2 * LONGEST_TEXT)]
    language: Language
    version: int


class Which(Fields):
    """That which the page showed."""

    version: int


async def show(call: Call) -> Mapping[str, object]:
    """The draft, what was sent, and how many would get the next."""
    app = call.request.app
    return {
        **await drafts(call, "newsletter"),
        "subscribers": await app[STORE].subscriptions.count(call.scope),
        "mail": app[POSTMAN] is not None,
    }


async def drafts(call: Call, use: Use) -> dict[str, object]:
    """What a page has of all circulars of a use."""
    store = call.request.app[STORE]
    found = await store.circulars.of(call.scope, use)
    return {
        "draft": next((one for one in found if one.sent is None), None),
        "sent": [one for one in found if one.sent is not None],
        "names": list(NAMES.items()),
        "preferred": (await store.practitioners.get(call.scope)).language,
        "menu": menu(call),
    }


async def write(call: Call) -> Circular:
    """A draft; nothing goes before it is sent."""
    said: Written = call.body
    demand_meant(said, "subject", "text")
    circulars = call.request.app[STORE].circulars
    return await circulars.write(call.scope, "newsletter", said.subject, said.text, said.language, None, said.version)


async def send(call: Call) -> Circular:
    """From now on, to each who has it at the moment in which their letter goes."""
    app = call.request.app
    if (press := app[PRESS]) is None:
        raise UserError("not_found")
    sent = await app[STORE].circulars.release(call.scope, "newsletter", call.body.version)
    press.released()
    return sent


async def discard(call: Call) -> None:
    """There is no draft any more."""
    await call.request.app[STORE].circulars.discard(call.scope, "newsletter", call.body.version)


def looked(use: Use) -> Entry:
    """That somebody opened the page of this use."""
    return lambda call, _shown: Draft(Act.CIRCULARS_READ, practitioner(call.practitioner), detail=use)


NEWSLETTER: Final = Page(
    "/practice/newsletter", "practice/newsletter.html", show, entered=looked("newsletter"), right=Right.NEWSLETTER
)

PAGES: Final = (NEWSLETTER,)
FORMS: Final = (
    Form(
        "/practice/newsletter/write",
        NEWSLETTER,
        Written,
        write,
        done="circular-written",
        entered=own(Act.CIRCULAR_WRITTEN, "newsletter"),
    ),
    Form(
        "/practice/newsletter/send",
        NEWSLETTER,
        Which,
        send,
        done="newsletter-sent",
        entered=own(Act.CIRCULAR_SENT, "newsletter"),
    ),
    Form(
        "/practice/newsletter/discard",
        NEWSLETTER,
        Which,
        discard,
        done="circular-discarded",
        entered=own(Act.CIRCULAR_DISCARDED, "newsletter"),
    ),
)
"""``pages`` has each page and each form."""
