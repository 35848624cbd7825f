"""The measurement itself: a generator that loses packets or a table that mixes rows up would prove anything."""

import asyncio
import shutil

import pytest

from bench.load.generator import Run
from bench.load.streams import Extensions, Incoming, Outgoing, read
from bench.relay import Figures, measure, memory_per_room, own_address, table

pytestmark = pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")


def run(received: int = 1_000, lost: int = 0, late_ns: int = 10_000) -> Run:
    return Run(1.0, received, received, lost, [200_000] * 100, [late_ns] * 100)


def test_a_stamped_packet_is_read_back_whatever_its_extensions() -> None:
    buffer = memoryview(bytearray(2_048))
    for kind in ("audio", "video"):
        for extensions in (Extensions(), Extensions(2, 3, 4, 1)):
            stream = Outgoing(kind, "0", 77, 96, extensions)
            for counter in range(20):
                length = stream.write(buffer, 123_456_789_000 + counter, counter)
                assert read(buffer, length) == (77, (stream.sequence - 1) & 0xFFFF, 123_456_789_000 + counter, counter)
                assert bytes(buffer[length - 2 : length]) == b"SK"


def test_170_video_packets_make_30_frames_of_which_the_first_is_a_key_frame() -> None:
    buffer = memoryview(bytearray(2_048))
    stream = Outgoing("video", "1", 77, 96, Extensions())
    packets = [bytes(buffer[: stream.write(buffer, 0, 0)]) for _ in range(170)]
    assert sum(packet[1] >> 7 for packet in packets) == 30
    starts = [packet[20] for packet in packets if packet[16] & 0x10]
    assert len(starts) == 30
    assert [byte & 1 for byte in starts] == [0] + [1] * 29


def test_gaps_count_as_lost_and_late_packets_do_not() -> None:
    stream = Incoming()
    for counter in (5, 6, 8, 7, 11):
        stream.take(counter, 1, 0)
    assert (stream.received, stream.lost) == (5, 2)


def test_the_table_compares_within_a_size_and_leaves_disturbed_rounds_out() -> None:
    results = [
        Figures("own", 1, run(), 0.020, 50_000),
        Figures("own", 1, run(late_ns=5_000_000), 0.900, 50_000),
        Figures("janus", 1, run(), 0.040, 10_000),
        Figures("own", 11, run(lost=3), 0.010, 60_000),
    ]
    rows = table(results).splitlines()
    assert rows[2] == "| Spreekkamer | 1 | 1,000 | 20.0 µs | 0.50 | 0.20 ms | 0.2 ms | 0 |"
    assert rows[3] == "| Spreekkamer | 11 | 1,000 | 10.0 µs | - | 0.20 ms | 0.2 ms | 3 |"
    assert rows[4].startswith("| Janus | 1 | 1,000 | 40.0 µs | 1.00 |")
    assert memory_per_room(results, "own") == 1_000


async def test_our_relay_is_measured_without_loss() -> None:
    async with asyncio.timeout(120):
        figures = await measure("own", 1, 1.0, own_address())
    assert figures.run.sent > 50  # 440 on a host that has time for it
    assert figures.run.received > figures.run.sent / 2
    assert figures.run.lost == 0
    assert figures.run.latency(0.5) > 0
    assert figures.memory_kib > 1_000
