"""What was agreed to by a link: what was read then, when, and one button that takes it back (S-44)."""

from collections.abc import Mapping
from typing import Any, Final

from practice.agenda.visit import Visit
from signaling.gate import SIGNALING
from signaling.leaving import consent_withdrawn
from signaling.rest.endpoint import Call
from signaling.scopes import of_link
from signaling.typedefs import NOW, STORE
from vault.audit import PATIENT, Act
from vault.errors import DomainError
from web.account.pages import Nothing
from web.forms import Form, Page, Shown
from web.render import spoken
from web.rights.holder import Holder, holder, read
from web.rights.section import Section


async def show(call: Call) -> Mapping[str, object]:
    """All that this reader agreed to."""
    found = await holder(call)
    visit, language = await visit_of(call, found), spoken(call.request)[0]
    said: Any = language
    reading = await call.request.app[STORE].consents.reading(of_link(found.planned.id), visit, said)
    return {"holder": found, "reading": reading}


async def withdraw(call: Call) -> Shown:
    """The consult ends, and what is kept of it goes. Errors: ``bad_state``."""
    found, app = await holder(call), call.request.app
    visit = await visit_of(call, found)
    after = await app[STORE].consents.withdraw(of_link(found.planned.id), found.told.secret, visit)
    await consent_withdrawn(app[SIGNALING], after)
    await app[STORE].audit.record(Act.CONSENT_WITHDRAWN, PATIENT, found.subject)
    return Shown("consents/withdrawn.html", {"kept": after.known_to_stay(app[NOW]())})


async def visit_of(call: Call, found: Holder) -> Visit:
    """The link's, which this device no longer has. Errors: ``gone``."""
    store = call.request.app[STORE].appointments
    visit = await store.by_link(of_link(found.planned.id), found.told.secret)
    if visit is None:
        raise DomainError("gone")
    return visit


SECTION: Final = Section("consents", "/c/rights/mine/consents")
GIVEN: Final = Page(SECTION.path, "rights/consents.html", show, entered=read, public=True)

PAGES: Final = (GIVEN,)
FORMS: Final = (
    Form("/c/rights/mine/consents/withdraw", GIVEN, Nothing, withdraw, says={"bad_state": ("", "consent.nothing")}),
)
"""``pages`` has each page and each form."""
