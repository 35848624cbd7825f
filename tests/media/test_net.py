"""Sockets: batches in order, both address families, framing over TCP, bounded buffers."""

import asyncio
import itertools
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from media.net import mmsg
from media.net.addresses import announced_addresses, host_addresses
from media.net.arena import MAX_PACKET, SLOT, Arena
from media.net.pulse import Pulse
from media.net.tcp import TcpConnection, TcpPort
from media.net.udp import BATCH, UdpPort, UdpSocket
from tests.client.waiting import PATIENCE
from tests.media.people import until

BATCHED = [pytest.param(True, marks=pytest.mark.skipif(not mmsg.AVAILABLE, reason="Linux only")), False]


class Echo:
    """Sends everything back and remembers it."""

    def __init__(self, batched: bool, addresses: list[str], wake_interval: float = 0.0) -> None:
        self.got: list[tuple[int, tuple[str, int]]] = []
        self.batches: list[int] = []
        self.times: list[float] = []
        self.port = UdpPort(addresses, 0, self.deliver, self.flush, batched=batched, wake_interval=wake_interval)
        self.port.start()

    def flush(self) -> None:
        self.port.flush()

    def deliver(self, arena: Arena, batch: list[tuple[int, Any]], bound: UdpSocket) -> None:
        self.batches.append(len(batch))
        for index, (length, key) in enumerate(batch):
            self.got.append((length, bound.host_and_port(key)))
            self.times.append(arena.times[4 * index + 2] + arena.times[4 * index + 3] / 1e9)
            bound.outbox.queue_bytes(bound.destination(key), bytes(arena.view[index * SLOT : index * SLOT + length]))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("batched", BATCHED)
async def test_datagrams_come_and_go_in_order(batched: bool, address: str) -> None:
    echo = Echo(batched, ["127.0.0.1", "::1"])
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.bind((address, 0))
        client.settimeout(0)
        sent = [b"%d" % number + b"x" * number for number in range(3 * BATCH)]
        for data in sent:
            client.sendto(data, (address, echo.port.port))
        assert [await receive(client, SLOT) for _ in sent] == sent
        assert {where for _, where in echo.got} == {(address, client.getsockname()[1])}
    echo.port.close()
    echo.port.close()
    assert max(echo.batches) > (1 if batched else 0)
    assert echo.times == sorted(echo.times)
    assert time.time() - 10 < echo.times[0] <= echo.times[-1] <= time.time()


@pytest.mark.parametrize("batched", BATCHED)
async def test_empty_and_oversize_datagrams_harm_nobody(batched: bool) -> None:
    echo = Echo(batched, ["127.0.0.1"])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for data in (b"", bytes(60_000), b"last"):
            client.sendto(data, ("127.0.0.1", echo.port.port))
            await until(lambda: echo.got and echo.got[-1][0] == min(len(data), SLOT))  # noqa: B023 -- awaited here
    echo.port.close()
    assert [length for length, _ in echo.got] == [0, SLOT, 4]


@pytest.mark.parametrize("batched", BATCHED)
async def test_a_destination_that_is_gone_does_not_hold_up_the_others(batched: bool) -> None:
    echo = Echo(batched, ["127.0.0.1"])
    outbox = echo.port.sockets[0].outbox
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there,
    ):
        for client in (gone, there):
            client.sendto(b"hello", ("127.0.0.1", echo.port.port))
        await until(lambda: len(echo.got) == 2)
        there.settimeout(PATIENCE)
        assert there.recv(100) == b"hello"
        gone.close()
        for length, (host, port) in echo.got * 20:
            key = (host, port) if not batched else b"\2\0" + port.to_bytes(2, "big") + socket.inet_aton(host)
            outbox.queue_bytes(key, bytes(length))
        outbox.flush()
        assert len([there.recv(100) for _ in range(20)]) == 20
    echo.port.close()


async def test_a_wake_interval_makes_larger_batches_and_loses_nothing() -> None:
    echo = Echo(mmsg.AVAILABLE, ["127.0.0.1"], wake_interval=0.005)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        numbers = itertools.count()

        async def send(count: int) -> int:
            """Batches in which they came; each packet could have been one."""
            before = len(echo.batches)
            sent = [b"%d" % next(numbers) for _ in range(count)]
            for packet in sent:
                client.sendto(packet, ("127.0.0.1", echo.port.port))
                await asyncio.sleep(0)
            assert [await receive(client) for _ in sent] == sent
            return len(echo.batches) - before

        # On a busy machine some tries are too slow to be worth a wake interval.
        async with asyncio.timeout(60):
            while await send(200) > 50:
                pass
            assert echo.port._pulse is not None
            while echo.port._pulse.running:  # noqa: ASYNC110 -- an idle port is not looked at
                await asyncio.sleep(0.05)
            assert await send(1) == 1
    echo.port.close()


async def receive(client: socket.socket, size: int = 100) -> bytes:
    async with asyncio.timeout(PATIENCE):
        return await asyncio.get_running_loop().sock_recv(client, size)


@pytest.mark.parametrize("available", [True, False])
async def test_a_pulse_beats_as_often_as_it_should_and_stops(monkeypatch: pytest.MonkeyPatch, available: bool) -> None:
    monkeypatch.setattr("media.net.pulse._AVAILABLE", available and sys.platform == "linux")
    beats: list[float] = []
    pulse = Pulse(0.002, lambda: beats.append(time.monotonic()))
    for _ in range(2):
        beats.clear()
        began = time.monotonic()
        pulse.start()
        async with asyncio.timeout(60):
            while len(beats) < 10:  # noqa: ASYNC110 -- a pulse tells nobody else
                await asyncio.sleep(0.01)
        pulse.stop()
        pulse.stop()
        assert len(beats) <= (time.monotonic() - began) / 0.002 + 1
        count = len(beats)
        await asyncio.sleep(0.02)
        assert len(beats) == count


async def test_a_port_in_use_is_an_error_and_nothing_stays_open() -> None:
    echo = Echo(mmsg.AVAILABLE, ["127.0.0.1"])
    with pytest.raises(OSError, match="in use"):
        UdpPort(["127.0.0.1"], echo.port.port, echo.deliver, echo.port.flush)
    echo.port.close()


def test_addresses_to_announce() -> None:
    host = host_addresses()
    assert announced_addresses(["203.0.113.9"], ["0.0.0.0"], loopback=True) == ["203.0.113.9"]
    assert announced_addresses([], ["127.0.0.1"], loopback=False) == ["127.0.0.1"]
    told = announced_addresses([], ["0.0.0.0", "::"], loopback=True)
    assert told == ["127.0.0.1", *host]
    assert announced_addresses([], ["0.0.0.0"], loopback=False) == [address for address in host if ":" not in address]
    assert not any(address.startswith(("127.", "fe80", "169.254", "::1")) for address in host)


# --- TCP -------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def listening(deliver: Callable[[Arena, int, TcpConnection], None]) -> AsyncIterator[tuple[TcpPort, int]]:
    def flush() -> None:
        for connection in port.connections:
            connection.outbox.flush()

    port = TcpPort(deliver, lambda _: None, flush)
    await port.listen(["127.0.0.1"], 0)
    yield port, port._servers[0].sockets[0].getsockname()[1]
    await port.close()
    await port.close()


async def test_frames_come_and_go_however_the_stream_is_cut() -> None:
    got: list[bytes] = []

    def deliver(arena: Arena, length: int, connection: TcpConnection) -> None:
        got.append(bytes(arena.view[:length]))
        connection.outbox.queue_bytes(connection, got[-1])

    async with listening(deliver) as (_, number):
        reader, writer = await asyncio.open_connection("127.0.0.1", number)
        sent = [b"x" * size for size in (1, 500, 20, MAX_PACKET, 3)]
        stream = b"".join(len(data).to_bytes(2, "big") + data for data in sent)
        for position in range(0, len(stream), 7):
            writer.write(stream[position : position + 7])
            if position % 70 == 0:
                await asyncio.sleep(0)
        assert await reader.readexactly(len(stream)) == stream
        assert got == sent
        writer.close()
        await writer.wait_closed()


async def test_a_frame_that_is_too_long_ends_the_connection() -> None:
    async with listening(lambda *_: None) as (port, number):
        reader, writer = await asyncio.open_connection("127.0.0.1", number)
        writer.write((MAX_PACKET + 1).to_bytes(2, "big"))
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
        await until(lambda: not port.connections)
        writer.close()


async def test_a_connection_without_an_authentic_check_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media.net.tcp._FIRST_PACKET_SECONDS", 0.5)
    async with listening(lambda *_: None) as (port, number):
        _, silent = await asyncio.open_connection("127.0.0.1", number)
        _, checked = await asyncio.open_connection("127.0.0.1", number)
        await until(lambda: len(port.connections) == 2)
        for connection in port.connections:
            assert connection.transport is not None
            connection.authenticated = (
                connection.transport.get_extra_info("peername")[1] == checked.get_extra_info("sockname")[1]
            )
        await until(lambda: len(port.connections) < 2)
        assert [connection.authenticated for connection in port.connections] == [True]
        for writer in (silent, checked):
            writer.close()


async def test_a_receiver_that_does_not_read_is_bounded_and_told_to_pause() -> None:
    async with listening(lambda *_: None) as (port, number):
        _, writer = await asyncio.open_connection("127.0.0.1", number, limit=1)
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # of a reading transport, which its type does not say
        await until(lambda: port.connections)
        (connection,) = port.connections
        for _ in range(20_000):
            connection.outbox.queue_bytes(connection, bytes(1_100))
        connection.outbox.flush()
        assert connection.transport is not None
        assert connection.transport.get_write_buffer_size() <= 256 << 10
        assert connection.outbox.congested
        assert connection.outbox.dropped > 1_000
        writer.transport.abort()


async def test_more_connections_than_allowed_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media.net.tcp._MAX_CONNECTIONS", 2)
    async with listening(lambda *_: None) as (port, number):
        opened = [await asyncio.open_connection("127.0.0.1", number) for _ in range(5)]
        ends = [asyncio.create_task(reader.read()) for reader, _ in opened]
        await until(lambda: sum(end.done() for end in ends) >= 3)
        assert len(port.connections) == 2
        for end, (_, writer) in zip(ends, opened, strict=True):
            writer.close()
            end.cancel()
        await asyncio.gather(*ends, return_exceptions=True)
