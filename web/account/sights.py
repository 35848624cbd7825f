"""What a practitioner reads of who had sight of their agenda: who asked, who gave it, why, and when it was used."""

from collections.abc import Mapping
from typing import Final

from practice.organisation.rights import Right
from signaling.rest.endpoint import Call
from signaling.typedefs import STORE
from vault.audit import Act, Draft, practitioner
from web.account.pages import Nothing
from web.forms import Form, Page
from web.practice.sights import LATE, Which, end, ended


async def show(call: Call) -> Mapping[str, object]:
    """All of the last ninety days, also what was asked for and not given."""
    store = call.request.app[STORE]
    return {
        "found": await store.sights.of(call.scope, call.practitioner),
        "news": await store.sights.unseen(call.scope),
    }


async def know(call: Call) -> int:
    """The desk says it no more."""
    return await call.request.app[STORE].sights.see(call.scope)


def known(call: Call, number: int) -> Draft:
    return Draft(Act.SIGHT_KNOWN, practitioner(call.practitioner), detail=str(number))


SIGHTS: Final = Page("/account/sights", "account/sights.html", show, right=Right.ACCOUNT)

PAGES: Final = (SIGHTS,)
FORMS: Final = (
    Form("/account/sights/end", SIGHTS, Which, end, done="sight-ended", entered=ended, says=LATE),
    Form("/account/sights/know", SIGHTS, Nothing, know, done="sight-known", entered=known),
)
"""``pages`` has each page and each form."""
