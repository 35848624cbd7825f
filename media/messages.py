"""Messages of `media.control` in Redis: each with a MAC over the key that it stands under."""

import hashlib
import hmac
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

MAX_MESSAGE = 1 << 20

T = TypeVar("T")


class ForgedError(ValueError):
    """A message that was not made with our secret for this key, or is no message at all."""


def seal(secret: bytes, key: str, body: BaseModel) -> bytes:
    """The message for Redis key ``key``: HMAC-SHA-256 in hex over key and body, then the body as JSON."""
    data = body.model_dump_json().encode()
    return _mac(secret, key, data) + data


def unseal(secret: bytes, key: str, message: bytes | str, adapter: TypeAdapter[T]) -> T:
    """The body of a message.

    Raises:
        ForgedError: wrong HMAC, too long, or not of the expected shape.
    """
    if isinstance(message, str):
        raise ForgedError("a connection that decodes responses")
    mac, data = message[:64], message[64:]
    if len(message) > MAX_MESSAGE or not hmac.compare_digest(mac, _mac(secret, key, data)):
        raise ForgedError("message not authentic")
    try:
        return adapter.validate_json(data)
    except ValidationError as error:
        raise ForgedError("message of an unknown shape") from error


def _mac(secret: bytes, key: str, data: bytes) -> bytes:
    return hmac.new(secret, key.encode() + b"\0" + data, hashlib.sha256).hexdigest().encode()
