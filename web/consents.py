"""Agreeing before the waiting room, and taking it back: pages of a link, without an account, a code or a script.

The link comes in a body and goes back in a hidden field of the answer, which has no address and is kept nowhere.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import Field

from practice.agenda.model import secret_part
from signaling.protocol.consents import ConsentGiving
from signaling.protocol.errors import ProtocolError
from signaling.protocol.rest import WaitingRequest
from signaling.rest import consents
from signaling.rest.endpoint import Call
from signaling.rest.join import Visited, visited
from signaling.typedefs import NOW, STORE
from vault.audit import PATIENT, Act
from web.forms import Form, Linked, Page, Shown
from web.render import spoken

Version = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{22}$")]


class Agreed(Linked):
    """All that was shown, by its versions."""

    version: tuple[Version, ...] = ()


async def show(_call: Call) -> Mapping[str, object]:
    """What is asked for, and what happens then."""
    return {}


async def read(call: Call) -> Shown:
    """What this link asks, and what was agreed to by it. Errors: ``link_invalid``, ``code_needed``."""
    bare = linked(call)
    found = await visited(bare)
    await call.request.app[STORE].audit.record(Act.LINK_OPENED, PATIENT, found.visit.subject)
    return await shown(bare, found)


async def give(call: Call) -> Shown:
    """All of it, by one press. Errors: also ``conflict``: the text is another since."""
    bare = linked(call)
    if not call.body.version:
        raise ProtocolError("invalid")
    body = ConsentGiving(
        link=bare.body.link, language=bare.body.language, versions=list(dict.fromkeys(call.body.version))
    )
    giving = Call(call.request, body)
    await consents.agree(giving, await visited(giving), body.versions)
    return await shown(bare, await visited(bare))


async def withdraw(call: Call) -> Shown:
    """All of it, by one press: the consult ends, and what is kept of it goes."""
    bare = linked(call)
    after = await consents.take_back(bare, await visited(bare, over=True))
    return Shown("consents/withdrawn.html", {"kept": after.known_to_stay(call.request.app[NOW]())})


def linked(call: Call) -> Call:
    """As the calls for machines have it."""
    language: Any = spoken(call.request)[0]
    return Call(call.request, WaitingRequest(link=call.body.link.get_secret_value(), language=language))


async def shown(bare: Call, found: Visited) -> Shown:
    """The page after the link: no other page shows it, and it has no address."""
    visit = found.visit
    whole = visit.whole or visit.appointment
    family = visit.guest is None or visit.guest.role == "guardian"
    host = await visit.host()
    return Shown(
        "consents/asked.html",
        {
            "reading": await consents.reading(bare, found),
            "link": secret_part(visit.appointment),
            "name": host.display_name,
            "starts_at": visit.appointment.starts_at,
            "child": family and whole.is_of_a_child,
        },
    )


ENTRANCE: Final = Page("/c/consent", "consents/entrance.html", show, public=True)

SAID: Final = {
    "link_invalid": ("link", "error.link_invalid"),
    "code_needed": ("", "consent.code"),
    "conflict": ("", "consent.newer"),
    "bad_state": ("", "consent.nothing"),
}

PAGES: Final = (ENTRANCE,)
FORMS: Final = (
    Form("/c/consent/read", ENTRANCE, Linked, read, says=SAID),
    Form("/c/consent/give", ENTRANCE, Agreed, give, says=SAID),
    Form("/c/consent/withdraw", ENTRANCE, Linked, withdraw, says=SAID),
)
"""``pages`` has each page and each form."""
