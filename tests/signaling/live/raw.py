"""A client below Socket.IO, for frames that no library sends."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from tests.signaling.live.cast import ORIGIN, Node, Person


class Raw:
    """One WebSocket; Engine.IO pings are answered while waiting."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket

    async def send(self, frame: str | bytes) -> None:
        await (self.socket.send_bytes(frame) if isinstance(frame, bytes) else self.socket.send_str(frame))

    async def frame(self, seconds: float = 3) -> str | None:
        """The next frame that is no ping; None when the server has closed."""
        while True:
            message = await self.socket.receive(timeout=seconds)
            if message.type is not WSMsgType.TEXT:
                return None
            if message.data == "2":
                await self.socket.send_str("3")
            else:
                return str(message.data)

    async def until(self, prefix: str) -> Any:
        """The JSON behind the next frame that begins so."""
        while (frame := await self.frame()) is not None:
            if frame.startswith(prefix):
                return json.loads(frame[len(prefix) :])
        raise AssertionError(f"closed before {prefix}")

    async def closed(self, seconds: float = 3) -> bool:
        """Read until the server closes."""
        try:
            while await self.frame(seconds) is not None:
                pass
        except TimeoutError:
            return False
        return True

    async def ask(self, number: int, event: str, *bodies: Any) -> Any:
        await self.send(f"42{number}{json.dumps([event, *bodies])}")
        return (await self.until(f"43{number}"))[0]

    @property
    def transport(self) -> asyncio.ReadTransport:
        """What is below the WebSocket."""
        connection = self.socket._response.connection
        assert connection is not None and isinstance(connection.transport, asyncio.ReadTransport)
        return connection.transport

    async def connect(self, person: Person) -> "Raw":
        """CONNECT with this person's token."""
        await self.send(f"40{json.dumps({'version': 1, 'token': person.token()})}")
        await self.until("40")
        return self


@asynccontextmanager
async def raw(node: Node, **headers: str) -> AsyncIterator[Raw]:
    """A WebSocket on which nothing was said yet but Engine.IO's first packet."""
    sent = {"Origin": ORIGIN, **headers}
    async with (
        ClientSession() as session,
        session.ws_connect(f"{node.url}/socket.io/?EIO=4&transport=websocket", headers=sent) as socket,
    ):
        client = Raw(socket)
        await client.until("0")
        yield client
