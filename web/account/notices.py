"""The service notices of one's organisation, as everybody in it reads them (S-23)."""

from collections.abc import Mapping
from typing import Final

from practice.organisation.rights import Right
from signaling.rest.endpoint import Call
from signaling.typedefs import STORE
from web.forms import Form, Page


async def show(call: Call) -> Mapping[str, object]:
    """The newest first."""
    return {"found": await call.request.app[STORE].circulars.inbox(call.scope)}


NOTICES: Final = Page("/account/notices", "account/notices.html", show, right=Right.ACCOUNT)

PAGES: Final = (NOTICES,)
FORMS: Final[tuple[Form, ...]] = ()
"""``pages`` has each page and each form."""
