"""What whoever waits says and is told before they are called in."""

from typing import Annotated, Final, Literal

from pydantic import Field

from signaling.protocol.model import Id, Message

Found = Literal["works", "silent", "off", "denied", "busy", "missing", "insecure"]
Grade = Literal["green", "amber", "red"]
MOST_WORDS: Final = 500
"""Characters."""

Words = Annotated[str, Field(min_length=1, max_length=MOST_WORDS, description="One line.")]


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
