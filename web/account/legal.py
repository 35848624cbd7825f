"""What a practitioner reads of what a law demanded of their appointments: who demanded it, why, and until when."""

from collections.abc import Mapping
from typing import Final

from practice.organisation.rights import Right
from signaling.rest.endpoint import Call
from signaling.typedefs import NOW, STORE
from web.forms import Form, Page


async def show(call: Call) -> Mapping[str, object]:
    """All that may be known, newest first."""
    app = call.request.app
    return {"found": await app[STORE].disclosures.of(call.scope), "now": app[NOW]()}


LEGAL: Final = Page("/account/legal", "account/legal.html", show, right=Right.ACCOUNT)

PAGES: Final = (LEGAL,)
FORMS: Final[tuple[Form, ...]] = ()
"""``pages`` has each page and each form."""
