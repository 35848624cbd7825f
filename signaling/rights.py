"""What a socket's events take: the right that a practitioner's must have, asked for at each event.

A patient's socket has no rights: its ticket is for one appointment.
"""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from practice.organisation.rights import Right, allowed
from practice.organisation.store import Organisations
from signaling.protocol.errors import ProtocolError, UserError
from signaling.protocol.events import CLIENT_EVENTS
from signaling.protocol.model import Message
from signaling.sockets.server import Handler
from signaling.sockets.socket import Socket
from signaling.tickets import Claims
from vault.errors import DomainError

EVENTS: Final[Mapping[str, Right]] = MappingProxyType(
    {
        name: Right.GREET if event.assists else Right.CONSULT
        for name, event in CLIENT_EVENTS.items()
        if "practitioner" in event.roles
    }
)
"""Every event that a practitioner's socket may send."""


class Authority:
    """Asks the organisation; what it said a moment ago counts."""

    def __init__(self, organisation: Organisations) -> None:
        self._organisation = organisation

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
            standing = await self._organisation.recent(claims.practitioner)
        except DomainError:
            if claims.kind == "resume":  # a consult that runs goes on, also where nobody can say who somebody is
                return
            raise
        if standing is None:
            raise ProtocolError("token_invalid")
        if not allowed(EVENTS[event], standing.roles):
            raise UserError("not_found")
