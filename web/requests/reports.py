"""What anybody may report without signing in: that something may have leaked (S-52), and that data of a child is held
(S-18). Each is a request as any other, by a page of its own that an address can be given of.

**Nothing is told to whoever reports a child's data** of whether there is any: the page, the answer and the time that it
takes are the same for what was never here.
"""

from collections.abc import Mapping
from typing import Final, Literal

from signaling.rest.endpoint import Call
from web.forms import Form, Page
from web.requests.public import ByForm, ask, show


class Leak(ByForm):
    """What somebody saw."""

    what: Literal["breach"] = "breach"


class Child(ByForm):
    """Which appointment it may be."""

    what: Literal["minor"] = "minor"


async def show_leak(call: Call) -> Mapping[str, object]:
    """The form, as that for a request."""
    return {**await show(call), "words": "report.leak"}


async def show_child(call: Call) -> Mapping[str, object]:
    """The same."""
    return {**await show(call), "words": "report.minor"}


LEAK: Final = Page("/report", "requests/report.html", show_leak, public=True)
CHILD: Final = Page("/report-minor", "requests/report.html", show_child, public=True)

PAGES: Final = (LEAK, CHILD)
FORMS: Final = (
    Form("/report", LEAK, Leak, ask),
    Form("/report-minor", CHILD, Child, ask),
)
"""``pages`` has each page and each form."""
