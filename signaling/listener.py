"""The port: taken before anything starts, given to aiohttp with a deadline on every request's headers (M7)."""

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from rooms.errors import StartRefused

HEADER_SECONDS: Final = 10.0
KEEP_ALIVE_SECONDS: Final = 75.0
SHUTDOWN_SECONDS: Final = 3.0


def bind(host: str, port: int) -> socket.socket:
    """A listening socket, or ``StartRefused`` with one sentence."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StartRefused(f"Port {port} is in use; stop what uses it or choose another.") from None
        if error.errno == errno.EACCES:
            raise StartRefused(f"Port {port} is not allowed to this user; choose one above 1023.") from None
        raise StartRefused(f"{host} is not an address of this machine.") from None


class DeadlineHandler(RequestHandler):
    """Closes a connection whose request headers are not complete in time, so that dripping them holds no place.

    aiohttp has no such deadline. ``_request_count`` rises with each complete header block.
    """

    __slots__ = ("_header_timer",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._header_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._await_headers()

    def data_received(self, data: bytes) -> None:
        if self._upgraded:
            super().data_received(data)
            return
        before, busy = self._request_count, self._current_request is not None
        super().data_received(data)
        if self._request_count != before:
            self._stop_timer()
        elif not busy and self._header_timer is None:
            self._await_headers()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def _await_headers(self) -> None:
        self._header_timer = self._loop.call_later(HEADER_SECONDS, self.force_close)

    def _stop_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None


@asynccontextmanager
async def listening(
    app: web.Application, listener: socket.socket, tls: ssl.SSLContext | None = None
) -> AsyncIterator[None]:
    """Serve ``app`` on the socket, which is taken over. No access log: it would hold addresses (S-12)."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        manager, loop = runner.server, asyncio.get_running_loop()
        assert manager is not None

        def protocol() -> DeadlineHandler:
            return DeadlineHandler(
                manager, loop=loop, access_log=None, keepalive_timeout=KEEP_ALIVE_SECONDS, lingering_time=2.0
            )

        server = await loop.create_server(protocol, sock=listener, ssl=tls)
        try:
            yield
        finally:
            server.close()
    finally:
        await runner.cleanup()
