"""The measurement itself: a generator that loses packets or a table that mixes rows up would prove anything."""

import asyncio
import re
import shutil

import pytest

from bench import groups
from bench.compared import Figures, Reach, Spread, memory_per_room, ratio
from bench.host import own_address
from bench.load.generator import Run
from bench.load.streams import LAYERS, Extensions, Incoming, Outgoing, read
from bench.plot import Line, at, plot
from bench.relay import measure, table
from media.wire import vp8

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


def test_a_layer_tells_its_size_and_its_temporal_layers_in_clear() -> None:
    buffer = memoryview(bytearray(2_048))
    for layer in LAYERS:
        stream = Outgoing("video", "1", 77, 96, Extensions(), layer=layer)
        packets = [bytes(buffer[: stream.write(buffer, 5, 0)]) for _ in range(layer.rate)]
        assert sum(packet[1] >> 7 for packet in packets) == 30
        assert read(memoryview(packets[3]), len(packets[3])) == (77, (stream.sequence - layer.rate + 3) & 0xFFFF, 5, 3)
        first = packets[0][16:]
        assert vp8.is_keyframe(first)
        data = first[vp8.parse(first).size :]
        assert data[3:6] == b"\x9d\x01\x2a"
        assert int.from_bytes(data[8:10], "little") == layer.height
        ends = [vp8.parse(packet[16:]).temporal_layer for packet in packets if packet[1] & 0x80]
        assert ends[:5] == [0, 2, 1, 2, 0]


def test_a_gap_in_what_a_relay_numbered_is_seen_over_the_wrap() -> None:
    stream = Incoming()
    for sequence in (0xFFFE, 0xFFFF, 0, 3):
        stream.take(stream.extended(sequence), 1, sequence)
    assert (stream.received, stream.lost) == (4, 2)


RESULTS = [
    Figures("own", 1, run(), 0.020, 50_000),
    Figures("own", 1, run(late_ns=5_000_000), 0.900, 50_000, 1),
    Figures("own", 1, run(), 0.040, 50_000, 2),
    Figures("janus", 1, run(), 0.040, 10_000),
    Figures("janus", 1, run(), 0.050, 10_000, 2),
    Figures("own", 11, run(lost=3), 0.010, 60_000),
]


def test_the_table_compares_within_a_size_and_leaves_disturbed_rounds_out() -> None:
    rows = table(RESULTS).splitlines()
    costs = "30.0 µs (20.0 to 40.0) | - | 0.65 (0.50 to 0.80)"
    assert rows[2] == f"| Spreekkamer | 1 | 1,000 | {costs} | 0.20 ms | 0.20 ms | 0 |"
    assert rows[3] == "| Spreekkamer | 11 | 1,000 | 10.0 µs | - | - | 0.20 ms | 0.20 ms | 3 |"
    assert rows[4].startswith("| Janus | 1 | 1,000 | 45.0 µs (40.0 to 50.0) | - | 1.00 |")
    assert memory_per_room(RESULTS, "own") == 1_000


def test_a_ratio_is_of_the_same_round() -> None:
    assert ratio(RESULTS, "own", "janus", 1, lambda it: it.per_packet) == Spread(0.65, 0.5, 0.8)
    assert ratio(RESULTS, "own", "janus", 11, lambda it: it.per_packet) is None
    assert Reach("it", Spread(0.65, 0.5, 0.8), 0.6, ".2f").line() == "| it | ≤ 0.6 | 0.65 (0.50 to 0.80) | **no** |"
    assert Reach("it", None, 0.6, ".2f").line() == "| it | ≤ 0.6 | - | - |"


def test_a_plot_has_every_line_within_its_frame() -> None:
    drawn = plot("a < b", "rooms", "µs", [Line("one", [at(1, 10), at(40, 60)]), Line("other", [at(1, 5), at(40, 59)])])
    assert "<title>a &lt; b</title>" in drawn
    low, high = re.findall(r'd="M[0-9.]+ ([0-9.]+)L[0-9.]+ ([0-9.]+)"', drawn)[0]
    assert 44 <= float(high) < float(low) <= 352
    places = [float(place) for place in re.findall(r'y="([0-9.]+)" fill="#[0-9a-f]+">o', drawn)]
    assert abs(places[0] - places[1]) >= 16
    with pytest.raises(ValueError, match="no points"):
        plot("nothing", "rooms", "µs", [])


async def test_our_relay_is_measured_without_loss() -> None:
    async with asyncio.timeout(120):
        figures = await measure("own", 1, 1.0, own_address())
    assert figures.run.sent > 50  # 440 on a host that has time for it
    assert figures.run.received > figures.run.sent / 2
    assert figures.run.lost == 0
    assert figures.run.latency(0.5) > 0
    assert figures.memory_kib > 1_000


async def test_a_group_gets_the_sound_of_everybody_and_no_gap() -> None:
    async with asyncio.timeout(120):
        figures = await groups.measure("own", 3, 1.0, own_address())
    # Two hear each of three, 50 packets a second each.
    assert figures.run.received > 100
    assert figures.run.lost == 0
