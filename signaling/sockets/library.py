"""python-socketio and python-engineio as the gate needs them. The only module that uses private names of both.

Their dispatch is replaced as a whole, so what they call is named here by what it means: a connection opened, a message
came, a connection closed.
"""

from collections.abc import AsyncIterator, Callable
from importlib.metadata import version
from typing import Any

import engineio
import socketio
from socketio.async_pubsub_manager import AsyncPubSubManager
from socketio.packet import ACK, CONNECT, CONNECT_ERROR, DISCONNECT, EVENT

from vault.errors import StartRefused

__all__ = ["ACK", "CONNECT", "CONNECT_ERROR", "DISCONNECT", "EVENT"]

_TESTED = {"python-socketio": "5.18.", "python-engineio": "4.15."}

NAMESPACE = "/"
"""The only one there is."""


def check_versions() -> None:
    """Refuse to run on versions in which nobody checked the private names. Errors: StartRefused."""
    for name, tested in _TESTED.items():
        found = version(name)
        if not found.startswith(tested):
            raise StartRefused(f"This program was checked with {name} {tested}x, found {found}: install that version.")


class EngineServer(engineio.AsyncServer):  # type: ignore[misc]  # the library has no types
    """Engine.IO on aiohttp, with a WebSocket class of ours."""

    def __init__(self, websocket: type, **options: Any) -> None:
        super().__init__(async_mode="aiohttp", **options)
        self._async: dict[str, Any] = {**self._async, "websocket": websocket}


class SocketServer(socketio.AsyncServer):  # type: ignore[misc]  # the library has no types
    """Socket.IO with a dispatch of ours. ``engine`` makes the Engine.IO below; it is given no arguments."""

    def __init__(self, engine: Callable[[], EngineServer], **options: Any) -> None:
        self._make_engine = engine
        check_versions()
        super().__init__(**options)

    async def opened(self, eio_sid: str, environ: dict[str, Any]) -> None:
        """A connection opened that has not authenticated."""
        raise NotImplementedError

    def closed(self, eio_sid: str) -> None:
        """It closed; what was connected over it is told so afterwards."""
        raise NotImplementedError

    async def came(self, eio_sid: str, data: str) -> None:
        """A message came over it."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin to listen to other nodes; idempotent."""
        if not self.manager.listening:
            self.manager_initialized = True
            self.manager.initialize()

    def packet(self, kind: int, data: Any, number: int | None = None) -> Any:
        """One to be sent."""
        return self.packet_class(kind, namespace=NAMESPACE, id=number, data=data)

    def read(self, text: str) -> Any:
        """One that came. Errors: ValueError, RecursionError."""
        return self.packet_class(encoded_packet=text)

    async def send_packet(self, eio_sid: str, packet: Any) -> None:
        """To one connection of this node."""
        await self._send_packet(eio_sid, packet)

    async def connect_client(self, eio_sid: str, auth: Any) -> None:
        """Carry a CONNECT out."""
        await self._handle_connect(eio_sid, NAMESPACE, auth)

    async def disconnect_client(self, eio_sid: str) -> None:
        """Carry a DISCONNECT of the client's out."""
        await self._handle_disconnect(eio_sid, NAMESPACE, self.reason.CLIENT_DISCONNECT)

    def sid_of(self, eio_sid: str) -> str | None:
        """Who is connected over a connection."""
        found: str | None = self.manager.sid_from_eio_sid(eio_sid, NAMESPACE)
        return found

    def eio_sid_of(self, sid: str) -> str | None:
        """Over which connection somebody is connected."""
        found: str | None = self.manager.eio_sid_from_sid(sid, NAMESPACE)
        return found

    def _engineio_server_class(self) -> Callable[..., EngineServer]:
        return lambda **_: self._make_engine()

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        await self.opened(eio_sid, environ)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        self.closed(eio_sid)
        await super()._handle_eio_disconnect(eio_sid, reason)

    async def _handle_eio_message(self, eio_sid: str, data: str) -> None:
        await self.came(eio_sid, data)


class Manager(AsyncPubSubManager):  # type: ignore[misc]  # the library has no types
    """Messages between nodes, by a way of ours."""

    async def publish(self, message: dict[str, Any]) -> None:
        """Tell the other nodes."""
        raise NotImplementedError

    def messages(self) -> AsyncIterator[dict[str, Any]]:
        """What they tell, for ever."""
        raise NotImplementedError

    async def take(self, message: dict[str, Any]) -> bool:
        """Whether the emit that another node asks for is carried out already."""
        raise NotImplementedError

    @property
    def listening(self) -> Any:
        """The task that listens, once it was begun."""
        return getattr(self, "thread", None)

    @property
    def node(self) -> str:
        """What this node is called among the others."""
        name: str = self.host_id
        return name

    def asked(self, sid: str, number: int) -> bool:
        """Whether this client was asked a question of this number."""
        # Number 0 is where the library keeps the counter of its questions.
        return number != 0 and number in self.callbacks.get(sid, {})

    def forget_questions(self, sid: str) -> None:
        """Forget what a client was asked, answered or not."""
        self.callbacks.pop(sid, None)

    async def _publish(self, data: dict[str, Any]) -> None:
        await self.publish(data)

    async def _listen(self) -> AsyncIterator[dict[str, Any]]:
        async for message in self.messages():
            yield message

    async def _handle_emit(self, message: dict[str, Any]) -> None:
        if not await self.take(message):
            await super()._handle_emit(message)
