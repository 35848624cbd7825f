"""UDP and TCP in the way: between one browser and the relay, a network as bad as it is told to be.

Real sockets on loopback. The browser is given this way as the relay's only candidate (`Way.through`), or the relay
announces the address that this listens on.
"""

import asyncio
import re
import socket
from collections.abc import Callable
from functools import partial
from typing import Any, Self

from bench.load.lane import Conditions, Lane

_CANDIDATE = re.compile(r"^a=candidate:\S+ \d+ (udp|tcp) \d+ (\S+) (\d+) typ host.*\r?\n", re.IGNORECASE | re.MULTILINE)
_READ = 2_048
_AT_ONCE = 64
_BUFFER = 1 << 20

Address = tuple[str, int]


class Way:
    """What one person's packets go through, to the relay (``up``) and back (``down``).

    Args:
        target: the relay; None: what the first answer names that is led `through` here.
        source: the address that the relay sees packets come from; empty: as the system has it.
    """

    def __init__(
        self,
        conditions: Conditions,
        seed: int,
        *,
        target: Address | None = None,
        listen: Address = ("127.0.0.1", 0),
        source: str = "",
    ) -> None:
        self.up, self.down = Lane(conditions, 2 * seed), Lane(conditions, 2 * seed + 1)
        self.udp_blocked = False
        """UDP does not get through, TCP does."""
        self.port = 0
        self._target = target
        self._listen = listen
        self._source = source
        self._outside: socket.socket | None = None
        self._inside: dict[Address, socket.socket] = {}
        self._server: asyncio.Server | None = None
        self._streams: set[_Stream] = set()

    async def __aenter__(self) -> Self:
        self._outside = _socket(self._listen)
        host, self.port = self._outside.getsockname()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._outside, self._from_client)
        self._server = await loop.create_server(lambda: _Stream(self), host, self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        for stream in list(self._streams):
            stream.abort()
        assert self._server is not None
        assert self._outside is not None
        self._server.close()
        for sock in (self._outside, *self._inside.values()):
            loop.remove_reader(sock)
            sock.close()
        self._outside = None
        self._inside.clear()

    # --- what it does to people ----------------------------------------------------------------------------------

    def through(self, sdp: str, protocols: tuple[str, ...] = ("udp", "tcp")) -> str:
        """An answer of the relay, with this as the only way; ``protocols`` of those that the relay has."""
        if self._target is None:
            found = next(found for found in _CANDIDATE.finditer(sdp) if found[1].lower() == "udp")
            self._target = found[2], int(found[3])

        def here(found: re.Match[str]) -> str:
            protocol, host, port = found[1].lower(), found[2], int(found[3])
            if (host, port) != self._target or protocol not in protocols:
                return ""
            return found[0].replace(f" {host} {port} typ", f" {self._listen[0]} {self.port} typ")

        return _CANDIDATE.sub(here, sdp)

    def lead_to_port(self, port: int) -> None:
        """The relay is at this port of loopback."""
        self._target = "127.0.0.1", port

    def be(self, conditions: Conditions) -> None:
        """From now on, both ways."""
        self.up.conditions = self.down.conditions = conditions

    def cut(self, closed: bool = True) -> None:
        """Nothing gets through; TCP connections stay and stand still, and go on when it is over."""
        self.up.closed = self.down.closed = closed
        if not closed:
            for stream in self._streams:
                stream.go_on()

    def rebind(self, source: str | None = None) -> None:
        """A NAT forgot: packets come from other ports (and from ``source``), its TCP connections are dead."""
        self._source = source or self._source
        for sock in self._inside.values():
            asyncio.get_running_loop().remove_reader(sock)
            sock.close()
        self._inside.clear()
        for stream in list(self._streams):
            stream.abort()

    # --- UDP -----------------------------------------------------------------------------------------------------

    def _from_client(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                assert self._outside is not None
                data, client = self._outside.recvfrom(_READ)
            except OSError:
                return
            self._later(self.up, data, partial(self._to_relay, data, client))

    def _to_relay(self, data: bytes, client: Address) -> None:
        sock = self._inside.get(client)
        if sock is None:
            if self._outside is None or self._target is None:
                return
            sock = self._inside[client] = _socket((self._source, 0), self._target)
            asyncio.get_running_loop().add_reader(sock, self._from_relay, sock, client)
        _send(sock, data)

    def _from_relay(self, sock: socket.socket, client: Address) -> None:
        for _ in range(_AT_ONCE):
            try:
                data = sock.recv(_READ)
            except OSError:
                return
            self._later(self.down, data, partial(self._to_client, data, client))

    def _to_client(self, data: bytes, client: Address) -> None:
        if self._outside is not None:
            _send(self._outside, data, client)

    def _later(self, lane: Lane, data: bytes, then: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        if self.udp_blocked:
            lane.kept_out += 1
        elif (at := lane.departure(loop.time(), len(data))) is not None:
            loop.call_at(at, then)

    # --- TCP -----------------------------------------------------------------------------------------------------

    def opened(self, stream: "_Stream") -> None:
        self._streams.add(stream)
        asyncio.get_running_loop().create_task(stream.dial(self._target, self._source))

    def ended(self, stream: "_Stream") -> None:
        self._streams.discard(stream)


class _Stream(asyncio.Protocol):
    """A TCP connection of the client's, and the one to the relay that it leads to."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._client: asyncio.Transport | None = None
        self._relay: asyncio.Transport | None = None
        self._early: list[bytes] = []
        self._held: list[tuple[Lane, bytes, Callable[[bytes], None]]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._client = transport
        self._way.opened(self)

    async def dial(self, target: Address | None, source: str) -> None:
        try:
            assert target is not None
            await asyncio.get_running_loop().create_connection(
                lambda: _Back(self), *target, local_addr=(source, 0) if source else None
            )
        except OSError:
            self.abort()

    def data_received(self, data: bytes) -> None:
        self._pass(self._way.up, data, self._to_relay)

    def answered(self, data: bytes) -> None:
        self._pass(self._way.down, data, self._to_client)

    def _pass(self, lane: Lane, data: bytes, then: Callable[[bytes], None]) -> None:
        loop = asyncio.get_running_loop()
        at = lane.departure(loop.time(), len(data), reliable=True)
        if at is None:
            self._held.append((lane, data, then))
        else:
            loop.call_at(at, then, data)

    def go_on(self) -> None:
        """What a cut kept back TCP sends again."""
        held, self._held = self._held, []
        for lane, data, then in held:
            self._pass(lane, data, then)

    def _to_relay(self, data: bytes) -> None:
        if self._relay is None:
            self._early.append(data)
        else:
            self._relay.write(data)

    def _to_client(self, data: bytes) -> None:
        if self._client is not None:
            self._client.write(data)

    def reached(self, relay: asyncio.Transport) -> None:
        self._relay = relay
        for data in self._early:
            relay.write(data)
        self._early.clear()

    def connection_lost(self, _error: Exception | None) -> None:
        self.abort()

    def abort(self) -> None:
        """Idempotent."""
        self._way.ended(self)
        for transport in (self._client, self._relay):
            if transport is not None:
                transport.abort()


class _Back(asyncio.Protocol):
    """The relay's end of a `_Stream`."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._stream.reached(transport)

    def data_received(self, data: bytes) -> None:
        self._stream.answered(data)

    def connection_lost(self, _error: Exception | None) -> None:
        self._stream.abort()


def _socket(local: Address, remote: Address | None = None) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        sock.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
    sock.bind(local)
    if remote is not None:
        sock.connect(remote)
    return sock


def _send(sock: socket.socket, *arguments: Any) -> None:
    """Like a network: what cannot be sent now is lost."""
    try:
        sock.sendto(*arguments) if len(arguments) > 1 else sock.send(*arguments)
    except OSError:
        return
