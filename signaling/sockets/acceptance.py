"""What a packet has to be, and whose, before anybody looks at what it wants: an event in the registry, with its body,
in a role that may send it, and of a practitioner with the right to it.
"""

from collections.abc import Awaitable, Callable, Container, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final, NamedTuple, cast

from practice.organisation.rights import Right, allowed
from practice.organisation.standings import Standings
from signaling.protocol.capabilities import SUPPORTED, Once
from signaling.protocol.errors import ProtocolError, UserError
from signaling.protocol.events import CLIENT_EVENTS, Connect
from signaling.protocol.model import Message
from signaling.sockets.socket import Socket
from signaling.tickets import Claims
from vault.errors import DomainError

Handler = Callable[[Socket, Any], Awaitable[Message]]

MOST_PARTS = 2
"""The body, and what may stand beside it."""


EVENTS: Final[Mapping[str, Right]] = MappingProxyType(
    {
        name: Right.GREET if event.assists else Right.CONSULT
        for name, event in CLIENT_EVENTS.items()
        if "practitioner" in event.roles
    }
)
"""Every event that a practitioner's socket may send."""


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


class Authority:
    """Asks at each event who somebody is; what was said a moment ago counts. A patient's socket has no rights: its
    ticket is for one appointment.
    """

    def __init__(self, standings: Standings) -> None:
        self._standings = standings

    def guarding(self, handlers: Mapping[str, Handler]) -> dict[str, Handler]:
        """These, each for who has the right."""
        return {event: partial(self._guarded, event, handler) for event, handler in handlers.items()}

    async def _guarded(self, event: str, handler: Handler, socket: Socket, body: Message) -> Message:
        await self.demand(socket.claims, event)
        return await handler(socket, body)

    async def demand(self, claims: Claims, event: str) -> None:
        """Errors: ``not_found`` without the right, ``token_invalid`` for who may not be signed in any more."""
        if claims.practitioner is None:
            return
        try:
            standing = await self._standings.recent(claims.practitioner)
        except DomainError:
            if claims.kind == "resume":  # a consult that runs goes on, also where nobody can say who somebody is
                return
            raise
        if standing is None:
            raise ProtocolError("token_invalid")
        if not allowed(EVENTS[event], standing.roles):
            raise UserError("not_found")
