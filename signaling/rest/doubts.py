"""What is asked about in a text before it is stored: whether it is meant (S-13)."""

from practice.doubts import DOUBTS, doubts
from signaling.protocol.errors import Doubt


def found_in(text: str) -> list[Doubt]:
    """What it seems to hold, in an order that stays."""
    found = doubts(text)
    return [one for one in DOUBTS if one in found]
