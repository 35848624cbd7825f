"""What patients are told of their appointments, as whoever plans them reads it."""

from typing import Annotated, Literal

from pydantic import Field

from signaling.protocol.model import Message
from signaling.protocol.moments import Moment

PatientMail = Annotated[str, Field(min_length=3, max_length=254)]
PatientPhone = Annotated[str, Field(min_length=3, max_length=40)]


class ToldView(Message):
    """What a patient was told of an appointment, or is to be told."""

    way: Literal["mail", "sms"]
    word: Literal["invitation", "changed", "cancelled", "reminder"]
    state: Literal["queued", "sent", "opened", "refused", "late"] = Field(
        description="``opened`` is a visit of the link, by whomever; ``late`` could not be sent within a day."
    )
    at: Moment | None = Field(description="When it came to that; null while it is queued.")
    reason: str | None = Field(default=None, description="Why it was refused: a word of ours and the server's number.")


class Invite(Message):
    new_link: bool = Field(default=False, description="The link that the patient had leads nowhere from then on.")


class Cancel(Message):
    tell: bool = Field(
        default=True,
        description="Its patient is told, if they were told of it: then it is destroyed once they were, ten minutes "
        "later at the latest.",
    )
