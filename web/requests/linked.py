"""A request by a patient's or guest's link, once its code was typed: no copy of a paper is asked for (S-48)."""

from collections.abc import Mapping
from typing import Final

from signaling.addresses import public_origin
from signaling.limiter import REQUESTING_PERSON
from signaling.rest.endpoint import Call
from signaling.scopes import of_link
from signaling.typedefs import LIMITER, REQUESTING, SETTINGS
from vault.audit import PATIENT
from web.forms import Form, Page, Shown
from web.forms.doubts import demand_meant
from web.requests.facts import Asked, choices, facts, filing
from web.rights.holder import MINE, holder, read
from web.rights.section import Section

SECTION: Final = Section("request", f"{MINE}/request")


async def show(call: Call) -> Mapping[str, object]:
    """The form; an answer goes to where the appointment's mail does."""
    found = await holder(call)
    contact = found.told.contact
    return {"holder": found, "mailed": bool(contact and contact.mail), **choices()}


async def ask(call: Call) -> Shown:
    """Filed with the practice whose patient asks. Its link is shown, and mailed where there is an address."""
    app, found = call.request.app, await holder(call)
    demand_meant(call.body, "text")
    await app[LIMITER].count(REQUESTING_PERSON, found.planned.id)
    asked = filing(call, "link", secret=found.told.secret)
    filed = await app[REQUESTING].file(of_link(found.planned.id), asked, PATIENT)
    link = f"{public_origin(app[SETTINGS])}/request/{filed.token}"
    mailed = bool(filed.request.mail)
    return Shown("requests/filed.html", {"fact": await facts(call, filed.request), "link": link, "mailed": mailed})


LINKED: Final = Page(SECTION.path, "requests/linked.html", show, entered=read, public=True)

PAGES: Final = (LINKED,)
FORMS: Final = (Form(f"{SECTION.path}/ask", LINKED, Asked, ask),)
"""``pages`` has each page and each form."""
