"""The relay without sockets: a simulated clock, lossy links and scripted clients."""

import heapq
import itertools
from collections.abc import Callable
from typing import Any, cast

from media.control import Event, OpenRoom, Reply
from media.forwarding.router import TICK, Router
from media.net.arena import SLOT, Arena
from media.net.outbox import Outbox
from media.net.udp import UdpSocket
from media.pump.library import NoPumpError, ffi, load
from media.pump.port import PumpedPort
from media.session.dtls import Certificate
from media.wire.sdp import Candidate
from tests.media.client import Client

START = 1_000.0
try:
    LIBRARY = load()
except NoPumpError:
    LIBRARY = None

ffi.cdef("struct sent { void *packet; size_t size; };")


class MemoryOutbox(Outbox):
    """Hands packets to whoever has the destination; one slot short of comfortable, to see it flush when full."""

    def __init__(self, simulation: "Simulation", transport: str = "udp") -> None:
        super().__init__(8)
        self.transport = transport
        self._simulation = simulation
        simulation.outboxes.append(self)

    def flush(self) -> None:
        count, self.count = self.count, 0
        for index in range(count):
            data = bytes(self.view[index * SLOT : index * SLOT + self._lengths[index]])
            self._simulation.sent(self._destinations[index], data)


class Source:
    """Stands for the socket that a datagram came by."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox

    def destination(self, key: bytes) -> bytes:
        return key

    def host_and_port(self, key: bytes) -> tuple[str, int]:
        return "192.0.2.1", int.from_bytes(key[-2:], "big")


class Unplugged(PumpedPort):
    """The pump without its thread and sockets: packets are given to it and taken from it one by one."""

    def __init__(self, outbox: Outbox) -> None:
        self._bound = UdpSocket("127.0.0.1", 0, Arena(1))
        self._bound.outbox = outbox
        super().__init__(LIBRARY, [self._bound], lambda: None)
        self._times = ffi.new("uint64_t[4]")
        self._packet = ffi.new("uint8_t[]", SLOT)
        self._source = Source(outbox)
        self.forwarded = 0

    def take(self, data: bytes, key: bytes, now: float, deliver: Callable[..., None]) -> list[tuple[bytes, bytes]]:
        """A packet comes. Returns what the pump sends; all else is delivered."""
        self._times[2], self._times[3] = divmod(int(now * 1e9), 1_000_000_000)
        ffi.buffer(self._packet)[0 : len(data)] = data
        port = self.pump.ports[0]
        count = self._library.pump_take(self.pump, self._packet, len(data), key, len(key), self._times, now)
        vectors = ffi.cast("struct sent *", port.vectors_out)
        sent = [
            (
                ffi.buffer(port.names_out + index * 32, len(key))[:],
                ffi.buffer(port.packets_out + index * SLOT, vectors[index].size)[:],
            )
            for index in range(count)
        ]
        port.count = 0
        self._deliver = lambda arena, index, length, name, _, *, opened: deliver(
            arena, index, length, name, self._source, opened=opened
        )
        self.forwarded += count
        while self.deal():
            pass
        return sent

    def _key(self, name: bytes, _: object) -> bytes:
        return name[: self.pump.ports[0].name_size]

    def close(self) -> None:
        self._bound.socket.close()
        self.end()


class Simulation:
    """One router, its clients and the time that passes.

    Args:
        pumped: plain packets go through the pump, on this thread and at the simulated time.
    """

    def __init__(self, *, pumped: bool = False) -> None:
        self.now = START
        self.events: list[Event] = []
        self.outboxes: list[MemoryOutbox] = []
        self.outbox = MemoryOutbox(self)
        self._port = Unplugged(self.outbox) if pumped else None
        self.router = Router(
            Certificate(),
            lambda: [Candidate("udp", "192.0.2.9", 4000)],
            self.events.append,
            monotonic=lambda: self.now,
            wall=lambda: self.now + 1_700_000_000,
        )
        if self._port is not None:
            self.router.use(self._port.lender)
        self.clients: dict[bytes, Client] = {}
        self._numbers: set[tuple[bytes, bytes, bytes]] = set()
        self._arena = Arena(4)
        self._queue: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._next_tick = self.now + TICK

    def at(self, time: float, action: Callable[[], object]) -> None:
        heapq.heappush(self._queue, (time, next(self._order), action))

    def run(self, seconds: float) -> None:
        """Let time pass, with a tick of the relay every 20 ms."""
        end = self.now + seconds
        while True:
            due = self._queue[0][0] if self._queue else end
            self.now = max(self.now, min(due, self._next_tick, end))
            if self._queue and self._queue[0][0] <= self.now:
                heapq.heappop(self._queue)[2]()
            elif self._next_tick <= self.now:
                self.router.tick()
                self.flush()
                self._next_tick += TICK
            elif self.now >= end:
                return

    def deliver(self, data: bytes, key: bytes, outbox: Outbox | None = None) -> None:
        """A datagram reaches the relay now."""
        if self._port is not None and outbox is None:
            for destination, packet in self._port.take(data, key, self.now, self.router.receive_handed):
                self.sent(destination, packet)
            self.flush()
            return
        self._arena.buffer[0 : len(data)] = data
        self._arena.stamp(0, int(self.now * 1e9))
        self.router.receive_batch(self._arena, [(len(data), key)], cast("Any", Source(outbox or self.outbox)))
        self.flush()

    def flush(self) -> None:
        for outbox in self.outboxes:
            outbox.flush()

    def sent(self, key: bytes, data: bytes) -> None:
        if data[0] > 127 and not 191 < data[1] < 224:
            number = (key, data[2:4], data[8:12])
            assert number not in self._numbers, "an SRTP nonce twice"
            self._numbers.add(number)
        client = self.clients.get(key)
        if client is not None and (arrival := client.link.arrival(data, self.now)) is not None:
            self.at(arrival, lambda: client.receive(data))

    def open(self, room: str = "room", fence: int = 1, capacity: int = 2) -> Reply:
        return self.router.handle(OpenRoom(room=room, fence=fence, capacity=capacity))

    def join(self, name: str, **options: Any) -> Client:
        """A connected client with all lines."""
        client = Client(self, name, **options)
        client.connect()
        self.run(0.05)
        return client

    @property
    def forwarded_by_pump(self) -> int:
        return self._port.forwarded if self._port else 0

    async def close(self) -> None:
        await self.router.close()
        if self._port is not None:
            self._port.close()

    def of(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, cast("type", kind))]
