"""What whoever waits with a link is told of the practitioner, beside what is said to them."""

from pydantic import Field

from signaling.protocol.model import Message


class WaitingPhotograph(Message):
    address: str | None = Field(description="Of the practitioner's photograph, on this server; null for none.")
