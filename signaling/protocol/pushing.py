"""Bodies about web push: by which a practitioner's browser is woken while its desk is not open."""

from typing import Annotated

from pydantic import Field

from signaling.protocol.model import Message


class PushOffer(Message):
    key: str | None = Field(
        default=None,
        description="The application server key (RFC 8292), as base64url; null where no push service is allowed.",
    )


class PushBrowser(Message):
    endpoint: Annotated[str, Field(min_length=1, max_length=1000)] = Field(
        description="The browser's push endpoint, as its push service gave it out (RFC 8030)."
    )


class PushState(Message):
    told: bool = Field(description="Whether this browser is told when somebody waits for who is signed in.")
