"""What pages say of a request: which, until when, how far, and what happens next."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import Field

from practice.requests import clock
from practice.requests.model import MOST, WHATS, Filing, Request, Way, What
from practice.requests.purposes import PURPOSES, Purpose, is_withdrawal
from practice.requests.store import zone_of
from signaling.rest.endpoint import Call
from signaling.typedefs import NOW
from web.forms.doubts import Doubted
from web.moments import day_of
from web.render import spoken

INSTANT: Final = timedelta(microseconds=1)
Chosen = Literal["", "newsletter", "statistics", "contact", "other"]


class Asked(Doubted):
    """What somebody asks for. ``purpose`` is of an objection."""

    what: What
    purpose: Chosen = ""
    text: Annotated[str, Field(max_length=2 * MOST)] = ""


@dataclass(frozen=True)
class Facts:
    """One request for a template: ``last`` is the last day on which an answer is in time, ``left`` how many days that
    is away, ``pauses`` whether its purpose stands still.
    """

    one: Request
    last: str
    left: int
    overdue: bool
    withdraws: bool
    extendable: bool


async def facts(call: Call, one: Request) -> Facts:
    """Of one request, in the language of who reads."""
    now, zone = call.request.app[NOW](), await zone_of(one)
    last = clock.day_of(one.due - INSTANT, zone)
    extendable = one.decided is None and not one.extension and one.tellable and clock.extends(one.asked, now, zone)
    return Facts(
        one,
        day_of(last, spoken(call.request)[0]),
        (last - clock.day_of(now, zone)).days,
        one.overdue(now),
        is_withdrawal(one.purpose),
        extendable,
    )


async def all_facts(call: Call, several: Iterable[Request]) -> list[Facts]:
    """Of several."""
    return [await facts(call, one) for one in several]


def choices() -> dict[str, object]:
    """What a form offers."""
    return {"whats": [one for one in WHATS if one != "unspecified"], "purposes": PURPOSES, "most": MOST}


def filing(call: Call, way: Way, **more: Any) -> Filing:
    """What was typed. An objection that names no use is about whatever its text says."""
    said, language = call.body, spoken(call.request)[0]
    purpose: Purpose | None = None
    if said.what == "objection":
        purpose = said.purpose if said.purpose in get_args(Purpose) else "other"
    return Filing(said.what, way, language, said.text, purpose, **more)  # type: ignore[arg-type]
