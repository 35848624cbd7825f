"""The end of an encrypted frame (docs/protocol.md, "Frame"): ``… ‖ header ‖ 0x53 0x4B``."""

MAGIC = b"\x53\x4b"
_KID_BYTES = 4
_COUNTER_BYTES = 8
LENGTHS = 0xC8
"""Bits of the byte before the magic that are not set: lengths of key id and counter, each of them a nibble."""

WHOLE = 16
"""A payload longer than this has room for a trailer behind any payload descriptor, and is told by its last bytes."""


def has_trailer(payload: bytes | bytearray | memoryview, start: int = 0) -> bool:
    """Whether the last packet of a frame ends as an encrypted frame ends.

    Args:
        payload: RTP payload without padding.
        start: where the frame's own bytes begin, after a codec's payload descriptor.

    A packetiser may leave as little as one byte for the last packet; then only that much is compared. The relay
    holds no keys: this finds a publisher that by mistake sends in clear, it proves nothing about one that lies.
    """
    size = len(payload) - start
    if size < 1 or payload[-1] != MAGIC[1]:
        return False
    if size > 1 and payload[-2] != MAGIC[0]:
        return False
    return size < 3 or (payload[-3] >> 4 < _KID_BYTES and payload[-3] & 15 < _COUNTER_BYTES)
