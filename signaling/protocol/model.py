"""What all protocol models share: strict types, no unknown fields, bounded strings."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

PROTOCOL_VERSION = 1
API = f"/api/v{PROTOCOL_VERSION}"
"""Where this version's REST calls are; the documents about them stay at ``/api``."""

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="An opaque identifier, base64url.")]
Base64Url = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]


def nothing(value: object) -> bool:
    """Whether a field is left out: for clients and recordings that do not know it."""
    return not value


class Message(BaseModel):
    """A protocol body. Unknown fields are refused, so a typing error is never silently ignored.

    pydantic keeps the short strings of every JSON text that it reads in a cache of the process, for as long as that
    lives, names and links too, unless it is told to keep the fields' names only.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, cache_strings="keys")


class Empty(Message):
    """A body without fields."""
