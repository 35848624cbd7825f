"""What whoever waits says and is told before they are called in."""

from typing import Annotated, Final, Literal

from pydantic import Field

from signaling.protocol.model import Id, Message, nothing

Found = Literal["works", "silent", "off", "denied", "busy", "missing", "insecure"]
Grade = Literal["green", "amber", "red"]
MOST_WORDS: Final = 500
"""Characters."""

Words = Annotated[str, Field(min_length=1, max_length=MOST_WORDS, description="One line.")]


DeclineMessage = Literal["not-now", "call-us", "new-time"]
Status = Literal["open", "away"]
Minutes = Annotated[int, Field(ge=1, le=240)]


class Check(Message):
    """How the devices of whoever waits are; while in a consult it changes nothing."""

    microphone: Found = Field(
        description="``silent``: a switch or the system lets no sound through; ``denied``: the browser may not use it; "
        "``busy``: another program has it; ``insecure``: the page is not over https."
    )
    camera: Found


class CheckView(Message):
    """Red: cannot be heard. Amber: cannot be seen, or may not be heard. Green: both work."""

    grade: Grade
    device: Literal["microphone", "camera"] | None = Field(description="The one that matters most; null when green.")
    found: Found | None = Field(description="How it is; null when green.")


class Write(Message):
    """Words of one's own to somebody who waits, by the practitioner or who works for them; instead of those before."""

    appointment: Id
    participant: Id
    text: Words


class Say(Message):
    """What whoever waits says to that, instead of what they said before."""

    text: Words


class Decline(Message):
    """By the practitioner, or who may let in for them. The appointment stays, and its link opens again."""

    appointment: Id
    participant: Id
    message: DeclineMessage | None = Field(default=None, description="One of the canned ones.")
    text: Words | None = Field(default=None, description="Words of one's own, instead of them or beside them.")


class Declined(Message):
    """What is said with it; both may be null."""

    message: DeclineMessage | None
    text: str | None


class PutBack(Message):
    """Practitioner only, of the consult that they are in: no media either way, and new keys when called in again."""

    participant: Id


class Announce(Message):
    """To all who wait, and who come later. Whatever is left out is not said any more."""

    practitioner: Id | None = Field(default=None, description="For whom an assistant says it; oneself without.")
    status: Status
    delay: Minutes | None = Field(default=None, description="Minutes later than planned.")


class QueueView(Message):
    """Where somebody stands who came to an open hour. ``least`` and ``most``: how long it may take, in minutes; both
    null while nobody knows.
    """

    number: int
    before: int = Field(description="How many are there who came earlier.")
    least: int | None
    most: int | None


class AnnouncedView(Message):
    """Whole in itself: the newest counts."""

    status: Status = Field(description="``away``: the practitioner is not there at the moment.")
    delay: int | None = Field(description="Minutes later than planned; null for nothing known.")
    overrun: bool = Field(
        default=False, description="Nobody said so: a consult takes longer. It concerns who waits past their own hour."
    )
    queue: QueueView | None = Field(default=None, exclude_if=nothing, description="To who came to an open hour.")
