"""What is left of a consult's technical samples, for its practitioner and for support."""

from typing import Annotated, Literal

from pydantic import Field

from signaling.protocol.model import Id, Message
from signaling.protocol.moments import Moment


class PersonCheckView(Message):
    """How the connection of one side was, in words of a closed list; no address."""

    role: Literal["practitioner", "patient", "guest", "unknown"]
    first: Moment
    last: Moment
    connection: Literal["good", "weak", "bad", "failed", "unknown"]
    sound: Literal["good", "silent", "unknown"]
    picture: Literal["good", "stopped", "unknown"]
    network: Literal["direct", "relayed", "unknown"] = Field(
        description="How the media relay is reached, through which all media passes: by itself, or through TURN."
    )
    udp: bool | None
    loss_permille: int | None
    rtt_ms: int | None
    reconnects: int
    browser: str | None = Field(description="Family and major version.")
    device: Literal["phone", "tablet", "computer", "unknown"]


class TechnicalCheck(Message):
    """What is left of a consult's samples, each of which lives 24 hours."""

    appointment: Id
    hours: int
    people: list[PersonCheckView]


class SupportCode(Message):
    """To be read out to support, who then sees this consult's technical timeline and nothing else."""

    appointment: Id
    code: Annotated[str, Field(pattern=r"^\d{6}$")]
    expires_in: int = Field(description="Seconds.")
