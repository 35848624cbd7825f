"""Who looked at the appointment or changed it, and when, for its patient (S-51; NEN 7513)."""

from collections.abc import Mapping
from typing import Final

from aiohttp import web

from signaling.rest.endpoint import Call
from signaling.scopes import of_link
from signaling.typedefs import STORE
from web.forms import Form, Page
from web.render import translated
from web.rights.holder import MINE, holder, read
from web.rights.section import Section
from web.trail import act_said


async def show(call: Call) -> Mapping[str, object]:
    """What the trail says of it, newest first, whether it says more, and what the practitioner is called. Guests are
    led back.
    """
    store, found = call.request.app[STORE], await holder(call)
    if found.guest is not None:
        raise web.HTTPSeeOther(MINE)
    scope, one = of_link(found.planned.id), found.planned
    visit = await store.appointments.by_link(scope, found.told.secret)
    text = translated(call.request)
    return {
        "holder": found,
        "practitioner": (await visit.host()).display_name if visit else "",
        "looked": await store.looks.of(scope, one),
        "said": lambda glance: act_said(glance.act, text),
    }


SECTION: Final = Section("looked", "/c/rights/mine/looked", guests=False)
LOOKED: Final = Page(SECTION.path, "rights/looked.html", show, entered=read, public=True)

PAGES: Final = (LOOKED,)
FORMS: Final[tuple[Form, ...]] = ()
"""``pages`` has each page and each form."""
