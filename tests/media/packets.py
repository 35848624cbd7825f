"""RTP packets as a client received them, read without the relay's own code."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from struct import unpack_from


@dataclass
class Packet:
    """An RTP packet as a client received it."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    extensions: dict[int, bytes]
    payload: bytes
    at: float


def read(data: bytes, at: float) -> Packet:
    """Parse a packet independently of the relay's own code."""
    first, second, sequence, timestamp, ssrc = unpack_from("!BBHII", data)
    position, extensions = 12, {}
    if first & 0x10:
        form, words = unpack_from("!HH", data, 12)
        assert form == 0xBEDE
        extensions = dict(_elements(data[16 : 16 + 4 * words]))
        position = 16 + 4 * words
    assert not first & 0x0F, "contributing sources"
    payload = data[position : len(data) - data[-1]] if first & 0x20 else data[position:]
    return Packet(second & 0x7F, bool(second & 0x80), sequence, timestamp, ssrc, extensions, payload, at)


def _elements(block: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(block):
        if not block[position]:
            position += 1
            continue
        identifier, size = block[position] >> 4, (block[position] & 15) + 1
        yield identifier, block[position + 1 : position + 1 + size]
        position += 1 + size


def frames(packets: list[Packet]) -> dict[int, list[int]]:
    """Timestamp → indices of the packets of the frame, by what the client wrote into them."""
    found: dict[int, list[int]] = defaultdict(list)
    for packet in packets:
        found[unpack_from("!I", packet.payload, 2)[0]].append(unpack_from("!I", packet.payload, 6)[0])
    return dict(found)


def sequences(packets: list[Packet]) -> list[int]:
    """Sequence numbers counted from the first one, without wrap-around."""
    start, result = packets[0].sequence, []
    last = 0
    for packet in packets:
        last += ((packet.sequence - start - last + 0x8000) & 0xFFFF) - 0x8000
        result.append(last)
    return result
