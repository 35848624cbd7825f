"""The WebSocket below Engine.IO, so that the two libraries above only ever see frames that a client library sends.

Left alone, a frame that Engine.IO cannot read leaves its socket half open and a traceback in the log, a binary
attachment count makes Socket.IO wait for ever, and a client that never reads makes the server buffer without end.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import WSMsgType, web

from signaling.sockets.endings import STUCK

FRAME = re.compile(r"1\Z|3\Z|40(?:\{|\Z)|41\Z|42[0-9]{0,9}\[|43[0-9]{1,9}\[")
"""Engine.IO close and pong; Socket.IO CONNECT, DISCONNECT, EVENT and ACK in the one namespace, without attachments."""

CLOSE_WITHIN = 1.0


class GuardedWebSocket:
    """What Engine.IO's aiohttp driver calls a WebSocket; ``server`` is the ``Engine``."""

    def __init__(self, handler: Callable[[Any], Awaitable[None]], server: Any) -> None:
        self._handler = handler
        self._engine = server
        self._response: web.WebSocketResponse | None = None
        self._request: web.Request | None = None
        # The driver's interface has no other way from a session to its connection.
        handler.__self__.connection = self  # type: ignore[attr-defined]  # see above

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
        self._request = environ["aiohttp.request"]
        # Without compression: no window of 300 kB per idle socket, and nothing to inflate.
        response = web.WebSocketResponse(
            max_msg_size=self._engine.limits.message_bytes, compress=False, timeout=CLOSE_WITHIN
        )
        await response.prepare(self._request)
        self._response = response
        await self._handler(self)
        return response

    async def wait(self) -> str:
        """The next frame; OSError ends the connection."""
        message = await self._socket.receive()
        if message.type is WSMsgType.TEXT and FRAME.match(message.data):
            return str(message.data)
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            self._engine.count("frame_refused")
        elif message.type is WSMsgType.ERROR:
            self._engine.count("frame_broken")
        raise OSError

    async def send(self, packet: str | bytes) -> None:
        """Send one packet; a client that does not take it in time is cut off."""
        try:
            async with asyncio.timeout(self._engine.limits.send_within):
                await self._socket.send_str(packet if isinstance(packet, str) else packet.decode())
        except TimeoutError:
            self._engine.count(STUCK.counted)
            self.abort()
            raise OSError from None

    async def close(self) -> None:
        """Idempotent; there is nothing to close when the client left before the upgrade was answered."""
        if self._response is not None:
            await self._response.close()

    def abort(self) -> None:
        """Without a goodbye."""
        transport = self._request.transport if self._request else None
        if transport:
            transport.abort()

    @property
    def _socket(self) -> web.WebSocketResponse:
        if self._response is None:
            raise OSError
        return self._response
