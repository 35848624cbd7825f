"""Who takes part in an appointment beside patient and practitioner: each has a link and is admitted by themselves."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from practice.names import readable
from signaling.protocol.errors import absent
from signaling.protocol.model import Id, Message, nothing
from signaling.protocol.told import PatientMail, PatientPhone, ToldView

GuestRole = Literal["guest", "guardian", "interpreter", "colleague"]
GuestLanguage = Literal["nl", "en", "de", "fr"]
GuestName = Annotated[str, Field(min_length=1, max_length=200)]


class NewGuest(Message):
    name: Annotated[GuestName, AfterValidator(readable)] = Field(
        description="One line with something to be seen in it."
    )
    role: GuestRole
    language: GuestLanguage = "nl"
    mail: PatientMail | None = Field(default=None, description="Where they are invited, if by mail.")
    phone: PatientPhone | None = Field(default=None, description="And if by text message: a mobile number.")


class GuestView(Message):
    """A guest, as who plans it reads it."""

    guest: Id = Field(description="In views of rooms and desks their seat; another one with another link.")
    name: GuestName
    role: GuestRole
    language: GuestLanguage
    link: str = Field(description="Theirs, secret in its fragment.")
    mail: str | None = Field(default=None, exclude_if=absent)
    phone: str | None = Field(default=None, exclude_if=absent)
    told: list[ToldView] = Field(default=[], exclude_if=nothing, description="As the patient's.")


class InvitedGuest(Message):
    """As whom somebody comes by a guest's link. On the wire of a consult all of them have the role ``guest``."""

    name: GuestName
    role: GuestRole
