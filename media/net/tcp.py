"""ICE over TCP, passive side (RFC 6544): packets with a two-byte length before each (RFC 4571)."""

import asyncio
import logging
import socket
import time
from collections.abc import Callable

from media.net.arena import MAX_PACKET, SLOT, Arena
from media.net.outbox import Outbox

logger = logging.getLogger(__name__)

_MAX_CONNECTIONS = 512
_FIRST_PACKET_SECONDS = 10.0
_PAUSED, _RESUMED = 128 << 10, 32 << 10
_MOST_BUFFERED = 256 << 10
_SLOTS = 16

Deliver = Callable[[Arena, int, "TcpConnection"], None]
"""Takes one packet: the arena (in slot 0), its length, the connection."""


class TcpConnection(asyncio.Protocol):
    """One client connection. It is its own key and destination; ``outbox`` sends to it.

    Attributes:
        authenticated: the relay saw an authentic check on it; without one it is closed after 10 s.
    """

    def __init__(self, port: "TcpPort") -> None:
        self.outbox = StreamOutbox(self)
        self.authenticated = False
        self._remote = ("", 0)
        self.transport: asyncio.Transport | None = None
        self._port = port
        self._partial = bytearray()
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        peer = transport.get_extra_info("peername")
        if peer is None or not self._port.admit(self):
            transport.abort()
            return
        self._remote = (peer[0], peer[1])
        transport.set_write_buffer_limits(high=_PAUSED, low=_RESUMED)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._deadline = asyncio.get_running_loop().call_later(_FIRST_PACKET_SECONDS, self._check_authenticated)

    def destination(self, _key: object) -> object:
        """There is but one."""
        return self

    def host_and_port(self, _key: object) -> tuple[str, int]:
        """The client's address."""
        return self._remote

    def _check_authenticated(self) -> None:
        if not self.authenticated:
            self.close()

    def data_received(self, data: bytes) -> None:
        partial = self._partial
        partial += data
        position, arena = 0, self._port.arena
        arena.stamp(0, time.time_ns())
        while len(partial) - position >= 2:
            size = partial[position] << 8 | partial[position + 1]
            if size > MAX_PACKET:
                self.close()
                return
            if len(partial) - position - 2 < size:
                break
            arena.buffer[0:size] = partial[position + 2 : position + 2 + size]
            position += 2 + size
            self._port.deliver(arena, size, self)
        del partial[:position]
        self._port.flush()

    def pause_writing(self) -> None:
        self.outbox.congested = True

    def resume_writing(self) -> None:
        self.outbox.congested = False

    def connection_lost(self, error: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._port.lost(self)

    def close(self) -> None:
        """Idempotent."""
        if self.transport is not None:
            self.transport.abort()


class StreamOutbox(Outbox):
    """Frames packets into the stream. What does not fit into a bounded buffer is dropped; video pauses before that."""

    transport = "tcp"

    def __init__(self, connection: TcpConnection) -> None:
        super().__init__(_SLOTS)
        self._connection = connection

    def flush(self) -> None:
        count, self.count = self.count, 0
        stream = self._connection.transport
        if stream is None or stream.is_closing():
            self.dropped += count
            return
        waiting = stream.get_write_buffer_size()
        buffer = self.buffer
        framed = []
        for index in range(count):
            size = self._lengths[index]
            if waiting + size > _MOST_BUFFERED:
                self.dropped += 1
                continue
            waiting += size + 2
            framed.append(size.to_bytes(2, "big"))
            framed.append(buffer[index * SLOT : index * SLOT + size])
        if framed:
            stream.write(b"".join(framed))


class TcpPort:
    """Listens on the worker's port. ``gone`` is told of connections that ended, ``flush`` called after a read."""

    def __init__(self, deliver: Deliver, gone: Callable[[TcpConnection], None], flush: Callable[[], None]) -> None:
        self.deliver = deliver
        self.arena = Arena(1)
        self.flush = flush
        self.connections: dict[TcpConnection, None] = {}
        self._gone = gone
        self._servers: list[asyncio.Server] = []

    async def listen(self, addresses: list[str], port: int) -> None:
        """
        Raises:
            OSError: the port is taken.
        """
        loop = asyncio.get_running_loop()
        try:
            for address in addresses:
                self._servers.append(await loop.create_server(lambda: TcpConnection(self), address, port, backlog=128))
        except OSError:
            await self.close()
            raise

    def admit(self, connection: TcpConnection) -> bool:
        """Whether there is room for one more; the oldest that never authenticated makes way."""
        if len(self.connections) >= _MAX_CONNECTIONS:
            idle = next((other for other in self.connections if not other.authenticated), None)
            if idle is None:
                return False
            idle.close()
        self.connections[connection] = None
        return True

    def lost(self, connection: TcpConnection) -> None:
        if connection in self.connections:
            del self.connections[connection]
            self._gone(connection)

    async def close(self) -> None:
        """Idempotent."""
        for server in self._servers:
            server.close()
        for connection in list(self.connections):
            connection.close()
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()
