"""Texts that seem to hold what they should not: whoever typed one leaves that out, or presses a second time (S-13)."""

from typing import Annotated

from pydantic import Field

from practice.doubts import DOUBTS, doubts
from web.forms.fields import Fields, Wrong


class Doubted(Fields):
    """Fields of which some are free text. ``keep`` are the doubts that the second button said were meant."""

    keep: Annotated[str, Field(max_length=100)] = ""


def demand_meant(typed: Doubted, *names: str) -> None:
    """Errors: ``Wrong``, with all doubts about each of these texts that the second button did not say."""
    meant = set(typed.keep.split())
    found = {name: doubts(getattr(typed, name)) - meant for name in names}
    if any(found.values()):
        raise Wrong({name: " ".join(one for one in DOUBTS if one in words) for name, words in found.items() if words})
