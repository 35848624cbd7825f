"""Engine.IO below the gate: WebSocket only, exact Origin, bounds on what is not authenticated and what is not read."""

import logging
import sys
from collections.abc import Callable
from typing import Any

from aiohttp import web

from signaling.addresses import client_address, network_of, origins
from signaling.protocol.errors import ProtocolError, SpreekkamerError, UserError, http_status, to_wire
from signaling.settings import SignalingSettings
from signaling.sockets.endings import STUCK, Ending
from signaling.sockets.frames import GuardedWebSocket
from signaling.sockets.half_open import HalfOpen
from signaling.sockets.library import EngineServer
from signaling.sockets.limits import Limits

log = logging.getLogger(__name__)


class LibraryLog:
    """Stands in for the loggers of Engine.IO and Socket.IO, whose lines repeat what clients send."""

    def __init__(self, count: Callable[[str], None]) -> None:
        self._count = count

    def error(self, *_: object, **__: object) -> None:
        self._count("library_error")

    def exception(self, *_: object, **__: object) -> None:
        self._count("library_error")
        log.error("the Socket.IO library failed", exc_info=sys.exception())

    def debug(self, *_: object, **__: object) -> None:
        """Not for our logs."""

    info = warning = debug


class Engine(EngineServer):
    """Accepts a WebSocket or says in one wire error why not.

    A browser always sends an Origin, and it must be ours. A client that is no browser may send none: it carries no
    cookies and its token stands in the CONNECT packet, so another site gains nothing by its absence; ``native`` says
    whether this server admits such clients. ``half_open`` knows the connections that have not authenticated yet.
    """

    def __init__(
        self,
        settings: SignalingSettings,
        limits: Limits,
        half_open: HalfOpen,
        *,
        native: bool,
        count: Callable[[str], None],
        end: Callable[[str, Ending], object],
    ) -> None:
        super().__init__(
            GuardedWebSocket,
            transports=["websocket"],
            allow_upgrades=False,
            async_handlers=False,
            cors_allowed_origins=[],
            # The second number is added to what clients are told, in whole seconds. They notice a node that stands
            # still 3.5 s after its last ping and are back within 5; a ping may be 2 s late, an answer take 2.5 s.
            ping_interval=(limits.ping_interval, -limits.ping_early),
            ping_timeout=limits.ping_timeout,
            max_http_buffer_size=limits.message_bytes,
            logger=LibraryLog(count),
        )
        self.limits = limits
        self.count = count
        self._end = end
        self._half_open = half_open
        self.closed_because: str | None = None
        self._settings = settings
        self._native = native

    async def handle_request(self, request: web.Request) -> web.StreamResponse:
        try:
            self._require(request)
        except SpreekkamerError as error:
            self.count(error.code)
            wire = to_wire(error)
            headers = {"Retry-After": str(wire.retry_after)} if wire.retry_after else None
            return web.json_response({"error": wire.model_dump()}, status=http_status(wire), headers=headers)
        response: web.StreamResponse = await super().handle_request(request)
        return response

    def _require(self, request: web.Request) -> None:
        if not self._origin_allowed(request):
            raise ProtocolError("origin_refused")
        query = request.query
        upgrade = request.headers.get("Upgrade", "").lower() == "websocket"
        if request.method != "GET" or not upgrade or query.get("transport") != "websocket" or query.get("EIO") != "4":
            raise ProtocolError("invalid")
        if "sid" in query or "j" in query or len(query) != len(set(query)):
            raise ProtocolError("invalid")
        network = self.network(request)
        if self._half_open.of_network[network] >= self.limits.pending_per_network:
            raise ProtocolError("rate_limited")
        if self.closed_because or len(self.sockets) >= self.limits.sockets:
            raise UserError("try_again")
        if not self._half_open.make_room(network, self.limits.pending):
            raise UserError("try_again")

    def _origin_allowed(self, request: web.Request) -> bool:
        said = request.headers.getall("Origin", [])
        if not said:
            return self._native
        return len(said) == 1 and said[0] in origins(self._settings)

    def network(self, request: web.Request) -> str:
        """Where a connection comes from, for counting only."""
        return str(network_of(client_address(request, self._settings.trusted_proxies)))

    async def send_packet(self, sid: str, pkt: Any) -> None:
        """Queue a packet; a client that has stopped reading is cut off instead of buffered for."""
        socket = self.sockets.get(sid)
        if socket and not socket.closed and socket.queue.qsize() >= self.limits.backlog:
            self._end(sid, STUCK)
            return
        await super().send_packet(sid, pkt)

    def cut(self, sid: str) -> None:
        """Drop a connection without a goodbye."""
        if connection := getattr(self.sockets.get(sid), "connection", None):
            connection.abort()

    async def hang_up(self, sid: str) -> None:
        """Close a connection now. The library's own way waits until the client has read everything."""
        socket = self.sockets.get(sid)
        if socket is None:
            return
        await socket.close(wait=False, abort=True)
        if connection := getattr(socket, "connection", None):
            await connection.close()
