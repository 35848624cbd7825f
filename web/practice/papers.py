"""The papers that a practice keeps, as they follow from this server now (``web.papers``), and all of them as a file."""

from collections.abc import Mapping
from typing import Final

from practice.organisation.rights import Right
from signaling.rest.endpoint import Call
from signaling.typedefs import DOOR, NOW, SETTINGS, STORE, TURN
from web import papers
from web.forms import Download, Fields, Form, Page
from web.practice.menu import menu
from web.render import SETTINGS as PAGES_SETTINGS
from web.render import translated


class Nothing(Fields):
    """A button."""


def known(call: Call) -> papers.Known:
    """What this server runs with."""
    app = call.request.app
    server = app[TURN].server
    host = server[0] if server else None
    return papers.Known(app[PAGES_SETTINGS], app[STORE].settings, app[SETTINGS], app[DOOR], host)


async def show(call: Call) -> Mapping[str, object]:
    """All of them, one after the other."""
    made = papers.papers(known(call), translated(call.request))
    return {"papers": made, "made": call.request.app[NOW](), "menu": menu(call)}


async def take(call: Call) -> Download:
    """The same as one file."""
    made = papers.papers(known(call), translated(call.request))
    body = "\n".join(map(papers.markdown, made)).encode()
    return Download(f"spreekkamer-papers-{call.request.app[NOW]():%Y-%m-%d}.md", "text/markdown", body)


PAPERS: Final = Page("/practice/papers", "practice/papers.html", show, right=Right.OVERSIGHT)

PAGES: Final = (PAPERS,)
FORMS: Final = (Form("/practice/papers/take", PAPERS, Nothing, take),)
"""``pages`` has each page and each form."""
