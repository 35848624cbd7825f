"""What a packet has to be before anybody looks at what it wants."""

from collections.abc import Container
from typing import Any, NamedTuple, cast

from signaling.protocol.capabilities import SUPPORTED, Once
from signaling.protocol.errors import ProtocolError
from signaling.protocol.events import CLIENT_EVENTS, Connect
from signaling.protocol.model import Message

MOST_PARTS = 2
"""The body, and what may stand beside it."""


class Accepted(NamedTuple):
    """An event that may be carried out; ``once`` is the id under which it is carried out only once."""

    event: str
    body: Message
    once: str | None


def connect(auth: Any) -> Connect:
    """The version comes first: what else a later version says is not ours to judge."""
    version = auth.get("version") if isinstance(auth, dict) else None
    if type(version) is int and not SUPPORTED.oldest <= version <= SUPPORTED.newest:
        raise ProtocolError("version_unsupported")
    return Connect.model_validate(auth)


def accept(data: Any, role: str, known: Container[str]) -> Accepted:
    """An event in the registry, with a body that its model accepts, in a role it allows; else ProtocolError or
    ValidationError. ``known`` are the events that have a handler.
    """
    event, parts = (data[0], data[1:]) if isinstance(data, list) and data else (None, [])
    spec = CLIENT_EVENTS.get(event) if isinstance(event, str) else None
    if spec is None or event not in known:
        raise ProtocolError("unknown_event")
    if len(parts) > MOST_PARTS:
        raise ProtocolError("invalid")
    body = spec.body.model_validate(parts[0] if parts else {})
    once = Once.model_validate(parts[1]).id if parts[1:] else None
    if role not in spec.roles:
        raise ProtocolError("forbidden")
    return Accepted(cast("str", event), body, once if spec.once else None)
