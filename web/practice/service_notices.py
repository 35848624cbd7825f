"""Service notices as who writes them has them: a draft, what was sent, and to how many (S-23)."""

from collections.abc import Mapping
from typing import Final, get_args

from practice.circulars.model import Circular, Topic
from practice.organisation.rights import Right
from signaling.rest.endpoint import Call
from signaling.rest.entries import own
from signaling.typedefs import SERVICE_NOTICES, STORE
from vault.audit import Act
from web.forms import Form, Page
from web.forms.doubts import demand_meant
from web.practice import newsletter
from web.practice.newsletter import Which, drafts, looked


class Written(newsletter.Written):
    """The same, and what its mail says it is about."""

    topic: Topic


async def show(call: Call) -> Mapping[str, object]:
    """The draft, and what was sent."""
    return {**await drafts(call, "service"), "topics": get_args(Topic)}


async def write(call: Call) -> Circular:
    """A draft; nobody is told before it is sent."""
    said: Written = call.body
    demand_meant(said, "subject", "text")
    circulars = call.request.app[STORE].circulars
    return await circulars.write(
        call.scope, "service", said.subject, said.text, said.language, said.topic, said.version
    )


async def send(call: Call) -> Circular:
    """To everybody, from now on."""
    app = call.request.app
    sent = await app[STORE].circulars.release(call.scope, "service", call.body.version)
    app[SERVICE_NOTICES].released()
    return sent


async def discard(call: Call) -> None:
    """There is no draft any more."""
    await call.request.app[STORE].circulars.discard(call.scope, "service", call.body.version)


WRITTEN: Final = own(Act.CIRCULAR_WRITTEN, "service")
SENT: Final = own(Act.CIRCULAR_SENT, "service")
DISCARDED: Final = own(Act.CIRCULAR_DISCARDED, "service")
NOTICES: Final = Page(
    "/practice/service-notices",
    "practice/service_notices.html",
    show,
    entered=looked("service"),
    right=Right.SERVICE_NOTICES,
)

PAGES: Final = (NOTICES,)
FORMS: Final = (
    Form("/practice/service-notices/write", NOTICES, Written, write, done="circular-written", entered=WRITTEN),
    Form("/practice/service-notices/send", NOTICES, Which, send, done="service-sent", entered=SENT),
    Form("/practice/service-notices/discard", NOTICES, Which, discard, done="circular-discarded", entered=DISCARDED),
)
"""``pages`` has each page and each form."""
