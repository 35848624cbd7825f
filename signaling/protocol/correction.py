"""What an appointment is corrected by."""

from typing import Annotated

from pydantic import Field

from signaling.protocol.model import Message
from signaling.protocol.moments import Moment
from signaling.protocol.rest import Language, TypedName


class Correction(Message):
    """What shall be otherwise; what is absent stays. Of a consult that runs only ``patient`` and ``minutes`` change."""

    seen: Annotated[int, Field(ge=1, description="The ``version`` that was corrected; with another one: ``conflict``.")]
    patient: TypedName | None = None
    starts_at: Moment | None = Field(default=None, description="At most two years away.")
    minutes: Annotated[int, Field(ge=5, le=480)] | None = None
    language: Language | None = None
    mail: Annotated[str, Field(max_length=254)] | None = Field(
        default=None,
        description="Where the patient is told of it by mail; empty for nowhere. Another one makes another link.",
    )
    phone: Annotated[str, Field(max_length=40)] | None = Field(
        default=None, description="And where by text message, as ``mail``."
    )
    code: bool | None = Field(default=None, description="Whether the link asks for a code, which needs an address.")
    anyway: bool = Field(default=False, description="As for a new one.")
