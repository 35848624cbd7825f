"""What a consult of more than two has beside one of two: what a page shows how large, who speaks, and who leads it."""

from typing import Annotated

from pydantic import Field

from signaling.protocol.model import Id, Message

MOST_SIZES = 13
"""The slots of a consult of twelve, the stage, and one to spare."""

Slot = Annotated[int, Field(ge=-1, le=62, description="As in `slots`: -1 is the stage.")]


def two(capacity: int) -> bool:
    """Whether it is a consult of two, of which nothing more is said."""
    return capacity == 2


class SlotSize(Message):
    slot: Slot
    height: Annotated[int, Field(ge=0, le=8192)] = Field(
        description="Of the picture as it is shown, in device pixels; 0: it is not shown, and need not be sent."
    )
    pinned: bool = Field(default=False, description="Whoever looks chose it: it comes before others of its size.")


class Sizes(Message):
    """What this page shows how large. A slot that is not named stays as it was said before; of one of which nothing was
    said the largest picture is sent. To be said again when a new connection was answered.
    """

    sizes: Annotated[list[SlotSize], Field(max_length=MOST_SIZES)]


class Speak(Message):
    """Whether one speaks, as one's own page hears it. Only in a group."""

    speaking: bool


class Speaks(Message):
    participant: Id
    speaking: bool


class Remove(Message):
    """By who leads the consult: somebody who is in is out. By their link they may wait again."""

    participant: Id


class Lock(Message):
    """By who leads the consult: while it is locked nobody new comes as far as the waiting room."""

    locked: bool


class HandOver(Message):
    """By the practitioner: this colleague, who is in, leads the consult too, and it does not end when the practitioner
    leaves. To another one: it is theirs instead. To oneself: it is nobody's any more.
    """

    participant: Id
