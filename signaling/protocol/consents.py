"""What a link asks its holder to agree to before the waiting room, and how old a patient is, as far as that decides."""

from typing import Annotated, Literal

from pydantic import Field

from practice.agenda.ages import Band, LiftReason
from practice.agenda.model import Purpose
from signaling.protocol.errors import absent
from signaling.protocol.model import Id, Message
from signaling.protocol.moments import Day, Moment
from signaling.protocol.rest import Language, WaitingRequest

Missing = Literal["consent_needed", "guardian_needed"]
Version = Annotated[Id, Field(description="A hash of the text: another text has another.")]


class ConsentText(Message):
    """To be read in full before it is agreed to."""

    purpose: Purpose = Field(description="*video*: to meet so; *child*: of a guardian; *house*: the practice's own.")
    version: Version
    language: Language
    text: str


class ConsentGiven(Message):
    purpose: Purpose
    version: Version
    given: Moment
    text: str | None = Field(description="What was read then; null where that text is nowhere any more.")


class ConsentsView(Message):
    """Of whoever has this link; what others agreed to is not said."""

    texts: list[ConsentText] = Field(description="What is still to be agreed to; empty for nothing.")
    given: list[ConsentGiven]
    missing: Missing | None = Field(
        default=None,
        exclude_if=absent,
        description="Why this link does not open the waiting room: the code that `/join` answers. *guardian_needed*: "
        "a parent or guardian has to agree first, by their own link.",
    )


class ConsentGiving(WaitingRequest):
    """The versions of the texts that were shown. A text that is another since is ``conflict``: show it, and ask."""

    versions: Annotated[list[Version], Field(min_length=1, max_length=3)]


class SayAge(Message):
    """How old the patient is on the day of the consult: asked, not worked out."""

    band: Band | None = Field(description="Null: nobody was asked.")
    sixteen: Day | None = Field(
        default=None,
        description="The day on which they become 16, of *12-15*: only where that may be before the consult, from "
        "today until a month after it.",
    )


class Lift(Message):
    """A child is received although no guardian agreed. The audit trail has the reason, the appointment the note too."""

    reason: LiftReason
    note: Annotated[str, Field(max_length=300)] = Field(default="", description="Needed with *otherwise*.")
