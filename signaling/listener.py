"""The port: taken before anything starts, given to aiohttp with bounds on each connection."""

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from signaling.connection import Connection
from vault.errors import StartRefused

KEEP_ALIVE_SECONDS: Final = 75.0
SHUTDOWN_SECONDS: Final = 3.0
ANY: Final = "::"
"""Every address of IPv6, and of IPv4 as well."""


def bind(host: str, port: int) -> socket.socket:
    """A listening socket, or ``StartRefused`` with one sentence."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = host == ANY and socket.has_dualstack_ipv6()
    try:
        return socket.create_server((host, port), family=family, backlog=1024, dualstack_ipv6=both)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StartRefused(f"Port {port} is in use; stop what uses it or choose another.") from None
        if error.errno == errno.EACCES:
            raise StartRefused(f"Port {port} is not allowed to this user; choose one above 1023.") from None
        if error.errno == errno.EAFNOSUPPORT:
            raise StartRefused(
                f"This machine has no IPv6; write 0.0.0.0 instead of {host} in signaling.host."
            ) from None
        fix = "write one of its own in signaling.host, or 0.0.0.0 or :: for all."
        raise StartRefused(f"{host} is not an address of this machine; {fix}") from None


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

        def protocol() -> Connection:
            return Connection(
                manager, app=app, loop=loop, access_log=None, keepalive_timeout=KEEP_ALIVE_SECONDS, lingering_time=2.0
            )

        server = await loop.create_server(protocol, sock=listener, ssl=tls)
        try:
            yield
        finally:
            server.close()
    finally:
        await runner.cleanup()
