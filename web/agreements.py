"""What people with an account agree to: read, printed, accepted, asked for again when it says something else (S-01).

**No trap**: who signs in is led by the page on their way and may leave it for later each time; after thirty days that
is said. What does not answer keeps nobody from their desk.
"""

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Annotated, Final, get_args

from aiohttp import web
from pydantic import Field

from practice.accounts.model import Language
from practice.agreements.model import EXPECTED, Acceptance, Agreed, Document, DocumentName
from practice.organisation.rights import Right
from signaling.protocol.errors import UserError
from signaling.rest.endpoint import Call
from signaling.typedefs import STORE
from vault.audit import Act, Draft, practitioner
from vault.errors import DomainError
from web import papers
from web.forms import Fields, Form, Page
from web.pages import statement_context
from web.render import SETTINGS, page, render, spoken, translated

ONWARDS: Final = re.compile(r"/(desk|(account|practice)(/[\w-]+)*)")
TEMPLATES: Final[Mapping[DocumentName, str]] = {"statement": "privacy.html", "processing": "agreement.html"}
ADDRESSES: Final[Mapping[DocumentName, str]] = {"statement": "/privacy", "processing": "/agreement"}
"""Where what is in force can be read by anybody."""

PARTS: Final = (
    *("parties", "subject", "data", "instructions", "confidence", "security"),
    *("others", "help", "breach", "proof", "end"),
)
"""Of the processor agreement, by what their texts are called."""

BLOCKS: Final = frozenset({"h1", "h2", "p", "tr", "caption", "address", "br", "li"})


class Accepted(Fields):
    """Which document, and what it said on the page."""

    name: DocumentName
    mark: Annotated[str, Field(max_length=64)]


class Reading(HTMLParser):
    """The words of a page's article, a line for each of its blocks."""

    def __init__(self) -> None:
        super().__init__()
        self._inside = False
        self._lines: list[str] = [""]

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """A block begins a line."""
        self._inside = self._inside or tag == "article"
        if tag in BLOCKS:
            self._lines.append("\n" if tag == "h2" else "")
        elif tag == "td":
            self._lines[-1] += " | "

    def handle_endtag(self, tag: str) -> None:
        """Nothing is said behind the article."""
        self._inside = self._inside and tag != "article"

    def handle_data(self, data: str) -> None:
        """Words."""
        if self._inside:
            self._lines[-1] += data

    @property
    def text(self) -> str:
        """All of it."""
        lines = ((line[:1] if line[:1] == "\n" else "") + " ".join(line.split()) for line in self._lines)
        return "\n".join(line for line in lines if line.strip())


def said(app: web.Application, name: DocumentName) -> dict[Language, str]:
    """What a document says now, in plain words, by language: made of the settings as they are."""
    found: dict[Language, str] = {}
    for language in get_args(Language):
        reading = Reading()
        context = statement_context(app) if name == "statement" else {"parts": PARTS}
        reading.feed(render(app, TEMPLATES[name], language, asked=True, context=context))
        found[language] = reading.text
    return found


async def agreement(request: web.Request) -> web.Response:
    """The processor agreement, for everybody who wants to read it first."""
    return page(request, "agreement.html", parts=PARTS)


async def annex(request: web.Request) -> web.Response:
    """Its annex, which follows from the inventory (GDPR art. 28(3)), for everybody too."""
    made = papers.processing(request.app[SETTINGS], translated(request))
    return page(request, "agreement_annex.html", paper=made)


async def stands(call: Call) -> list[Agreed]:
    """How who is signed in stands to what is in force; what says something new is put forward first."""
    app, store = call.request.app, call.request.app[STORE]
    for name in TEMPLATES:
        await store.agreements.put_forward(call.scope, name, said(app, name))
    return await store.agreements.of(call.scope)


async def show(call: Call) -> Mapping[str, object]:
    """What is to be accepted and what was; on the way from signing in nothing, where nothing is to be accepted."""
    onwards = call.request.query.get("next", "")
    onwards = onwards if ONWARDS.fullmatch(onwards) else ""
    try:
        found, versions = await stands(call), await call.request.app[STORE].agreements.versions(call.scope)
    except DomainError:
        if onwards:
            raise web.HTTPSeeOther(onwards) from None
        raise
    if onwards and all(one.accepted for one in found):
        raise web.HTTPSeeOther(onwards)
    return {
        "found": found,
        "addresses": ADDRESSES,
        "days": EXPECTED.days,
        "before": [one for one in versions if one.id not in {one.document.id for one in found}],
        "onwards": onwards,
    }


async def accept(call: Call) -> Acceptance:
    """What it says now; ``conflict`` where that is something else than the page showed."""
    await stands(call)
    return await call.request.app[STORE].agreements.accept(call.scope, call.body.name, call.body.mark)


async def show_version(call: Call) -> Mapping[str, object]:
    """What an older version said, in the reader's language."""
    versions = await call.request.app[STORE].agreements.versions(call.scope)
    one: Document | None = next((one for one in versions if one.id == call.path["document"]), None)
    if one is None:
        raise UserError("not_found")
    language = spoken(call.request)[0]
    return {"document": one, "text": {str(key): text for key, text in one.texts.items()}[language]}


def accepted(call: Call, one: Acceptance) -> Draft:
    return Draft(Act.AGREEMENT_ACCEPTED, practitioner(call.practitioner), detail=one.name)


AGREEMENTS: Final = Page("/agreements", "account/agreements.html", show, right=Right.ACCOUNT)
VERSION: Final = Page("/agreements/{document}", "account/agreement_version.html", show_version, right=Right.ACCOUNT)

PAGES: Final = (AGREEMENTS, VERSION)
FORMS: Final = (
    Form(
        "/agreements/accept",
        AGREEMENTS,
        Accepted,
        accept,
        done="accepted",
        entered=accepted,
        says={"conflict": ("", "agreements.conflict")},
    ),
)
"""``pages`` has each page and each form."""
