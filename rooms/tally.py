"""What of a consult is counted, for statistics of a whole organisation: that it happened, and nothing of whom.

A consult that Redis lost, or that was reopened, begins anew and is counted again.
"""

from collections.abc import Iterator
from typing import Final

from rooms.consult_events import Tally
from rooms.consult_state import PRACTITIONER, Consult

MINUTE: Final = 60_000
BOUNDS: Final[tuple[tuple[int, Tally], ...]] = ((5 * MINUTE, "short"), (15 * MINUTE, "middle"))


def tallied(before: Consult, after: Consult, moment: int) -> Iterator[Tally]:
    """Two met for the first time; somebody who waited was called in; the practitioner ended it with nobody there."""
    if after.epoch and not before.epoch:
        yield "consults"
    for one in after.admitted:
        called = before.find(one.id)
        if one.seat != PRACTITIONER and called and not called.admitted:
            yield waited(moment - one.since)
    alone = before.practitioner is not None and len(before.participants) == 1
    if after.ended == "ended" and alone and not before.epoch:
        yield "absent"


def waited(milliseconds: int) -> Tally:
    """How long, in ranges."""
    return next((name for bound, name in BOUNDS if milliseconds < bound), "long")
