"""The way in: a link in a body, a code to where its reader is told of the appointment, and then what there is.

Nothing is sent until somebody presses. Addresses hold nothing of anybody, so logs and other sites learn nothing.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field

from signaling.addresses import client_network
from signaling.link_codes import LINK_CODES_OF
from signaling.protocol.codes import CodeRequest
from signaling.protocol.errors import ProtocolError
from signaling.rest.codes import sent, ways_of
from signaling.rest.endpoint import Call
from signaling.rest.join import visited
from signaling.typedefs import STORE
from vault.audit import PATIENT, Act
from web.forms import Fields, Form, Linked, Page
from web.rights.holder import ENTER, MINE, Holder, asking, forget, holder, keep, read
from web.rights.sections import SECTIONS


class Typed(Fields):
    """The digits."""

    code: Annotated[str, Field(min_length=1, max_length=40)]


class Again(Fields):
    """Once more, by one of the ways."""

    way: Literal["mail", "sms"]


class Nothing(Fields):
    """A button."""


async def show(_call: Call) -> Mapping[str, object]:
    """What is asked for, and what happens then."""
    return {}


async def ask(call: Call) -> None:
    """A code is sent. Errors: ``link_invalid``, ``bad_state`` (there is no address), those of sending."""
    bare = Call(call.request, CodeRequest(link=call.body.link.get_secret_value()))
    visit = (await visited(bare, over=True, passed=False)).visit
    one = visit.appointment
    if not await ways_of(call.request.app[STORE].outbox, one):
        raise ProtocolError("bad_state")
    await sent(bare, one, visit.guest.id if visit.guest else one.id, visit.subject)
    keep(call, Holder(one, visit.guest), "asked")


async def show_code(call: Call) -> Mapping[str, object]:
    """Where the digits are typed, and by which ways they can come."""
    found = await asking(call)
    return {"ways": await ways_of(call.request.app[STORE].outbox, found.told)}


async def again(call: Call) -> None:
    """The same code is sent once more, or another where it is about to end."""
    found = await asking(call)
    await sent(call, found.told, found.seat, found.subject)


async def answer(call: Call) -> None:
    """The digits are right: for half an hour this device reads."""
    app, found = call.request.app, await asking(call)
    await app[LINK_CODES_OF].answer(found.seat, client_network(call.request), call.body.code)
    await app[STORE].audit.record(Act.LINK_OPENED, PATIENT, found.subject)
    keep(call, found, "rights")


async def mine(call: Call) -> Mapping[str, object]:
    """What there is for this reader."""
    found = await holder(call)
    return {"holder": found, "sections": [one for one in SECTIONS if one.guests or found.guest is None]}


async def leave(call: Call) -> None:
    """This device reads no more."""
    forget(call)


ENTRANCE: Final = Page(ENTER, "rights/entrance.html", show, public=True)
CODE: Final = Page("/c/rights/code", "rights/code.html", show_code, public=True)
SECTIONED: Final = Page(MINE, "rights/mine.html", mine, entered=read, public=True)

LINK: Final = {"link_invalid": ("link", "error.link_invalid"), "bad_state": ("", "rights.no-address")}
DIGITS: Final = {"code_refused": ("code", "error.code_refused")}

PAGES: Final = (ENTRANCE, CODE, SECTIONED)
FORMS: Final = (
    Form("/c/rights/code", ENTRANCE, Linked, ask, done="code-sent", goes=CODE.path, says=LINK),
    Form("/c/rights/again", CODE, Again, again, done="code-sent"),
    Form("/c/rights/open", CODE, Typed, answer, goes=MINE, says=DIGITS),
    Form("/c/rights/leave", SECTIONED, Nothing, leave, done="left", goes=ENTER),
)
"""``pages`` has each page and each form."""
