"""One Socket.IO connection; every body is checked against the registry, and what that does not know passed over."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import aiohttp
import socketio
from pydantic import BaseModel, ValidationError

from client.errors import Offline, Refusal
from signaling.protocol.capabilities import ONCE, REPLAY, Numbered
from signaling.protocol.errors import WireError
from signaling.protocol.events import CLIENT_EVENTS, SERVER_EVENTS, Connect
from signaling.protocol.model import PROTOCOL_VERSION, Message

SECONDS = 10.0
DISCONNECT = "disconnect"

Listener = Callable[[str, Any], None]


class Wire:
    """It does not reconnect by itself (`link.Link` does), and is opened once.

    Args:
        url: the server's origin.
        listener: called with (event, body) of each server event, in order; the body is the registry's model. The loss
            of the connection is the event ``disconnect`` without a body.
        tls: as in `rest.Rest`.

    Attributes:
        capabilities: that the server has too, as soon as it said so.
        seen: the number of the last numbered event; what comes a second time is dropped.
    """

    def __init__(
        self, url: str, listener: Listener, *, tls: ssl.SSLContext | None = None, seen: int | None = None
    ) -> None:
        self.url = url
        self.capabilities: frozenset[str] = frozenset()
        self.seen = seen
        self._listener = listener
        self._tls = tls
        self._gone = asyncio.Event()
        self._client = socketio.AsyncClient(reconnection=False)
        self._client.on("disconnect", self._lost)
        self._client.on("connect_error", self._refused)
        self._refusal: Any = None
        for event in SERVER_EVENTS:
            self._client.on(event, self._handler(event))

    @property
    def connected(self) -> bool:
        return bool(self._client.connected)

    async def open(self, token: str) -> None:
        """Connect with an access token or a resume ticket.

        Raises:
            Refusal: the server does not take the token, the origin or the version.
            Offline: there is no server.
        """
        auth = Connect(version=PROTOCOL_VERSION, token=token, capabilities=[REPLAY, ONCE])
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=self._tls or True))
        self._client.eio.http = session
        try:
            await self._client.connect(
                self.url,
                headers={"Origin": self.url},
                auth=auth.model_dump(exclude_unset=True),
                transports=["websocket"],
                wait_timeout=SECONDS,
            )
        except socketio.exceptions.ConnectionError as error:
            await self.close()
            code = _code(self._refusal)
            raise (Refusal(code) if code else Offline(type(error).__name__)) from error

    async def request(self, event: str, body: Message | None = None, *, once: str | None = None) -> Any:
        """The reply's model. ``once`` is an id, the same in each repeat: the server carries one of them out.

        Raises:
            Refusal: the acknowledgement was an error.
            Offline: there was none.
        """
        registered = CLIENT_EVENTS[event]
        message = body or registered.body()
        if not isinstance(message, registered.body):
            raise TypeError(f"{event} has a body of {registered.body.__name__}")
        beside = [{"id": once}] if once and ONCE in self.capabilities else []
        reply = await self._send(event, message.model_dump(mode="json", exclude_unset=True), *beside)
        if not isinstance(reply, dict) or "ok" not in reply:
            raise Refusal("internal", "no acknowledgement of this protocol")
        if not reply["ok"]:
            refusal = WireError.model_validate(reply["error"], extra="ignore")
            raise Refusal(refusal.code, field=refusal.field)
        return registered.reply.model_validate(reply["data"], extra="ignore")

    async def _send(self, event: str, *arguments: Any) -> Any:
        """The acknowledgement as it came."""
        call = asyncio.ensure_future(self._client.call(event, arguments, timeout=SECONDS))
        lost = asyncio.ensure_future(self._gone.wait())
        try:
            await asyncio.wait((call, lost), return_when=asyncio.FIRST_COMPLETED)
            if call.done():
                return call.result()
        except socketio.exceptions.SocketIOError as error:
            raise Offline(f"no acknowledgement of {event}") from error
        finally:
            call.cancel()
            lost.cancel()
        raise Offline(f"the connection was lost before an acknowledgement of {event}")

    async def drop(self) -> None:
        """Cut the connection as a network would: without a goodbye."""
        await self._client.eio.disconnect(abort=True)

    async def close(self) -> None:
        """Idempotent."""
        self._gone.set()
        await self._client.disconnect()
        if self._client.eio.http:
            await self._client.eio.http.close()

    def _handler(self, event: str) -> Callable[..., Awaitable[Any]]:
        model: type[BaseModel] = SERVER_EVENTS[event][0]

        async def handle(*arguments: Any) -> dict[str, Any] | None:
            given = arguments[0] if arguments and arguments[0] is not None else {}
            body: Any = model.model_validate(given, extra="ignore")
            if event == "present":
                return {}
            if event == "welcome":
                self.capabilities = frozenset(body.capabilities)
            elif event == "replay":
                self.seen = body.seq
            elif len(arguments) > 1 and not self._is_next(Numbered.model_validate(arguments[1], extra="ignore").seq):
                return None
            self._listener(event, body)
            return None

        return handle

    def _is_next(self, seq: int) -> bool:
        if self.seen is not None and seq <= self.seen:
            return False
        self.seen = seq
        return True

    async def _refused(self, data: Any = None) -> None:
        self._refusal = data

    async def _lost(self, *_reason: Any) -> None:
        self._gone.set()
        self._listener(DISCONNECT, None)


def _code(refusal: Any) -> str | None:
    """Of a refused CONNECT: its packet is ``{message, data: <WireError>}``."""
    with suppress(ValidationError, KeyError, TypeError):
        return WireError.model_validate(refusal["data"], extra="ignore").code
    return None
