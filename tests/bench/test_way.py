"""The bad network of tests and figures: seeded, nothing overtakes, and what a NAT or a cut does to real sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.load.lane import Conditions, Lane
from bench.load.way import Way
from bench.moving import first_silence
from bench.thin import settled
from tests.client.waiting import until

ANSWER = (
    "a=candidate:1 1 udp 2130706431 {host} {port} typ host\r\n"
    "a=candidate:2 1 udp 2130706430 2001:db8::1 {port} typ host\r\n"
    "a=candidate:3 1 tcp 1518280447 {host} {port} typ host tcptype passive\r\n"
)


@given(
    st.builds(
        Conditions,
        loss=st.floats(0, 0.5),
        delay=st.floats(0, 0.2),
        jitter=st.floats(0, 0.1),
        rate=st.none() | st.floats(10_000, 1e7),
    ),
    st.integers(0, 100),
    st.lists(st.tuples(st.floats(0, 0.05), st.integers(1, 1_500)), max_size=60),
)
def test_a_seed_decides_and_nothing_overtakes_or_comes_before_it_was_sent(
    conditions: Conditions, seed: int, packets: list[tuple[float, int]]
) -> None:
    def outcome() -> list[float | None]:
        lane, now, out = Lane(conditions, seed), 0.0, []
        for wait, size in packets:
            now += wait
            at = lane.departure(now, size)
            assert at is None or at >= now
            out.append(at)
        return out

    first = outcome()
    assert first == outcome()
    assert all(a <= b for a, b in pairwise(at for at in first if at is not None))


def test_as_many_are_lost_and_as_late_as_was_asked_for() -> None:
    lane = Lane(Conditions(loss=0.05, delay=0.05, jitter=0.02), 3)
    late = [at - number for number in range(10_000) if (at := lane.departure(number, 100)) is not None]
    assert 0.045 < 1 - len(late) / 10_000 < 0.055
    assert min(late) < 0.031
    assert max(late) > 0.069
    assert abs(sum(late) / len(late) - 0.05) < 0.001


def test_a_thin_line_lets_its_rate_through_and_keeps_no_more_than_its_queue() -> None:
    lane = Lane(Conditions(rate=300_000, queue=0.2), 1)
    out = [lane.departure(number / 100, 1_000) for number in range(1_000)]
    through = [at for at in out if at is not None]
    assert 8_000 * len(through) / 10 == pytest.approx(300_000, rel=0.03)
    assert max(at - number / 100 for number, at in enumerate(out) if at is not None) <= 0.2 + 2 * 8_000 / 300_000
    assert lane.overflowed == 1_000 - len(through)


def test_a_stream_loses_nothing_and_waits_for_what_was_lost() -> None:
    lane = Lane(Conditions(loss=0.5, delay=0.05), 1)
    late = [lane.departure(number, 100, reliable=True) for number in range(100)]
    assert {round(at - number, 3) for number, at in enumerate(late) if at is not None} == {0.05, 0.15}
    assert None not in late


class Echo(asyncio.DatagramProtocol):
    """Stands for the relay: sends all back, and remembers from where it came."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        self.seen.append(address)
        self.transport.sendto(data, address)


class Collect(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.got: list[bytes] = []

    def datagram_received(self, data: bytes, _: Any) -> None:
        self.got.append(data)


@asynccontextmanager
async def echoed(delay: float = 0.0) -> AsyncIterator[tuple[Way, Echo, Collect, Callable[[bytes], None]]]:
    """A way to a relay that sends all back, and a client to send by."""
    loop = asyncio.get_running_loop()
    relay, echo = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    async with Way(Conditions(delay=delay), 1, target=relay.get_extra_info("sockname")) as way:
        sender, got = await loop.create_datagram_endpoint(Collect, remote_addr=("127.0.0.1", way.port))
        yield way, echo, got, sender.sendto
        sender.close()
    relay.close()


def still_without(got: list[Any], count: int) -> Callable[[], str | None]:
    return lambda: None if len(got) >= count else f"{len(got)} of {count}"


async def test_packets_come_back_and_from_another_port_once_the_nat_forgot() -> None:
    async with echoed(0.01) as (way, echo, collect, send):
        send(b"one")
        await until(still_without(collect.got, 1))
        way.rebind(source="127.0.0.3")
        send(b"two")
        await until(still_without(collect.got, 2))
        assert echo.seen[0] != echo.seen[1]
        assert echo.seen[1][0] == "127.0.0.3"


async def test_a_cut_or_blocked_line_lets_nothing_through() -> None:
    async with echoed() as (way, _, collect, send):
        way.cut()
        send(b"lost")
        await until(lambda: None if way.up.kept_out == 1 else "not there yet")
        way.cut(closed=False)
        way.udp_blocked = True
        send(b"lost too")
        await until(lambda: None if way.up.kept_out == 2 else "not there yet")
        way.udp_blocked = False
        send(b"three")
        await until(still_without(collect.got, 1))
        assert collect.got == [b"three"]


async def test_a_stream_stands_still_while_the_line_is_cut_and_loses_nothing() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, Way(Conditions(delay=0.01), 1, target=server.sockets[0].getsockname()) as way:
        reader, writer = await asyncio.open_connection("127.0.0.1", way.port)
        writer.write(b"one")
        assert await reader.readexactly(3) == b"one"
        way.cut()
        writer.write(b"two")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await reader.readexactly(3)
        way.cut(closed=False)
        assert await reader.readexactly(3) == b"two"
        way.rebind()
        assert await reader.read() == b""
        writer.close()


async def test_an_answer_led_through_names_this_as_the_only_way() -> None:
    async with Way(Conditions(), 1) as way:
        text = way.through(ANSWER.format(host="192.0.2.7", port=4_000))
        assert text.split("\r\n") == [
            f"a=candidate:1 1 udp 2130706431 127.0.0.1 {way.port} typ host",
            f"a=candidate:3 1 tcp 1518280447 127.0.0.1 {way.port} typ host tcptype passive",
            "",
        ]
        assert " tcp " not in way.through(ANSWER.format(host="192.0.2.7", port=4_000), ("udp",))


def test_silence_is_what_begins_soon_after_and_ends_with_sound() -> None:
    def heard(quiet: list[tuple[float, float]]) -> list[tuple[float, float]]:
        real, samples = 0.0, []
        for step in range(400):
            at = step * 0.05
            real += 0 if any(start < at <= end for start, end in quiet) else 2_400
            samples.append((at, real))
        return samples

    assert first_silence(heard([]), 5.0) == 0.0
    assert first_silence(heard([(5.5, 7.0)]), 5.0) == pytest.approx(2.0, abs=0.06)
    assert first_silence(heard([(4.0, 6.5)]), 5.0) == pytest.approx(1.5, abs=0.06)
    assert first_silence(heard([(5.5, 5.7)]), 5.0) == 0.0, "a hiccup"
    assert first_silence(heard([(12.0, 14.0)]), 5.0) == 0.0, "of another cause"
    assert first_silence(heard([(5.5, 30.0)]), 5.0) == float("inf")


def test_a_line_has_settled_when_three_seconds_on_average_are_good() -> None:
    values = [9.0] * 4 + [1.0] + [9.0] * 3 + [2.0] * 20
    assert settled(values, 3.0, below=True) == pytest.approx(4.0, abs=0.51)
    assert settled([9.0] * 30, 3.0, below=True) == float("inf")
    assert settled([1.0] * 10 + [8.0] * 20, 6.0, below=False) == pytest.approx(5.0, abs=1.6)
