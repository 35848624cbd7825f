"""Packets with a length before each (RFC 4571), however a stream of any bytes is cut into pieces."""

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from media.net.arena import MAX_PACKET, Arena
from media.net.tcp import TcpConnection, TcpPort


class Ended:
    """Stands for the stream of a client of which only the end is of interest."""

    def __init__(self) -> None:
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


def received(pieces: list[bytes]) -> tuple[list[bytes], bool, int]:
    """What came out, whether the connection was closed, and the most that was kept of what is not whole."""
    packets: list[bytes] = []

    def deliver(arena: Arena, length: int, _: TcpConnection) -> None:
        packets.append(bytes(arena.buffer[:length]))

    connection = TcpConnection(TcpPort(deliver, lambda _: None, lambda: None))
    stream: Any = Ended()
    connection.transport = stream
    kept = 0
    for piece in pieces:
        connection.data_received(piece)
        if stream.aborted:
            break
        kept = max(kept, len(connection._partial))
    return packets, stream.aborted, kept


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


PLACES = st.lists(st.integers(0, 100_000), max_size=30)


@given(st.lists(st.binary(max_size=MAX_PACKET), max_size=8), PLACES)
def test_packets_come_whole_and_in_order_wherever_the_stream_is_cut(packets: list[bytes], places: list[int]) -> None:
    data = b"".join(len(packet).to_bytes(2, "big") + packet for packet in packets)
    assert received(cut(data, places))[:2] == (packets, False)


@given(st.binary(max_size=6_000), PLACES)
def test_any_bytes_give_what_they_give_in_one_piece(data: bytes, places: list[int]) -> None:
    whole, pieces = received([data]), received(cut(data, places))
    assert whole[:2] == pieces[:2]
    assert pieces[2] < MAX_PACKET + 2, "no more than one packet is kept"


@given(st.lists(st.binary(max_size=100), max_size=3), st.integers(MAX_PACKET + 1, 0xFFFF), PLACES)
def test_a_packet_longer_than_any_ends_the_stream_behind_those_before_it(
    packets: list[bytes], length: int, places: list[int]
) -> None:
    data = b"".join(len(packet).to_bytes(2, "big") + packet for packet in packets)
    data += length.to_bytes(2, "big") + bytes(300)
    got, closed, _ = received(cut(data, places))
    assert (got, closed) == (packets, True)
