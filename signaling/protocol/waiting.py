"""What whoever has a link is told of the appointment and of the practitioner, and what they may say of coming."""

from typing import Annotated, Literal

from pydantic import Field

from practice.agenda.wishes import Wish
from signaling.protocol.model import Message
from signaling.protocol.moments import Moment
from signaling.protocol.rest import CodePass, Language, Name, WaitingRequest


class WaitingPhotograph(Message):
    address: str | None = Field(description="Of the practitioner's photograph, on this server; null for none.")


class LinkedRequest(Message):
    """The patient's link, as for joining."""

    link: Annotated[str, Field(max_length=2048)]
    code_pass: CodePass | None = None


class LinkedAppointment(Message):
    """What a link is about, also when it opens no waiting room yet, or no more."""

    practitioner_name: Name
    starts_at: Moment
    minutes: int
    language: Language
    window: Literal["early", "open", "late", "over"] = Field(description="*over*: nobody is let in any more.")
    wish: Wish | None = Field(description="What was last said of coming; null for nothing.")


class LinkedCalendar(Message):
    calendar: str = Field(description="The appointment as calendars read it (RFC 5545), its name neutral.")


class WishRequest(WaitingRequest):
    """That somebody cannot come, or asks for another time. It is typed, so that no program does it by pressing."""

    wish: Wish
    typed: Annotated[str, Field(max_length=40)] = Field(
        description="*cancel*: afzeggen, cancel, absagen or annuler. *move*: verzetten, move, verlegen or reporter."
    )
