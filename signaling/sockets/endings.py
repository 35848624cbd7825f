"""Why a node ends a connection of its own, and how: every reason there is.

| how | what the client notices |
|---|---|
| ``CLOSED`` | the WebSocket closes at once, whatever was not sent yet |
| ``CUT`` | nothing, or a connection that broke: no goodbye |
| ``TOLD`` | Socket.IO's own word, after all that was sent before, also from another node |
"""

from dataclasses import dataclass
from enum import Enum, auto


class How(Enum):
    """How much of a goodbye there is."""

    CLOSED = auto()
    CUT = auto()
    TOLD = auto()


@dataclass(frozen=True)
class Ending:
    """``counted`` is the counter that it raises. An end that is not ``missed`` is not reported as a lost socket."""

    how: How
    counted: str | None = None
    missed: bool = True


MOVED = Ending(How.CLOSED, missed=False)
"""This node leaves. Its return replaces what this node had of it, before anybody misses it."""

SHUT_DOWN = Ending(How.CLOSED)
"""This node ends."""

CUT_OFF = Ending(How.CUT)
"""Nobody hears this node, or it stood still: what came in and was not handled yet never will be."""

TOO_LATE = Ending(How.CLOSED, "authentication_timeout")
"""It did not say who it is in time."""

UNAUTHENTICATED = Ending(How.CLOSED, "unauthenticated")
"""It asked for something before."""

UNREADABLE = Ending(How.CLOSED, "frame_refused")
"""What it sent is no packet."""

EXHAUSTED = Ending(How.CLOSED)
"""It went on asking after it was told to wait."""

STUCK = Ending(How.CUT, "client_stuck")
"""It has stopped reading."""

TAKEN_OVER = Ending(How.TOLD)
"""Another window has its place, and it was told so."""

REPLACED = Ending(How.TOLD)
"""The same window came back by another connection."""

SIGNED_OUT = Ending(How.TOLD)
"""What it was opened with is good for nothing any more, and it was told so."""
