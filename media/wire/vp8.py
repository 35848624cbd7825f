"""VP8 payload descriptor (RFC 7741, 4.2) and key frames, readable although the frame is encrypted."""

from typing import NamedTuple

from media.wire import WireError

_Buffer = bytes | bytearray | memoryview
_START_CODE = b"\x9d\x01\x2a"


class Descriptor(NamedTuple):
    """Attributes:
    size: bytes before the VP8 frame data.
    start: first packet of partition ``partition`` (S bit); with partition 0 the start of a frame.
    droppable: N bit, not a reference for other frames.
    picture_id: 7 or 15 bits wide as ``picture_id_bits`` says, None if absent.
    """

    size: int
    start: bool
    partition: int
    droppable: bool
    picture_id: int | None
    picture_id_bits: int
    tl0_picture_index: int | None
    temporal_layer: int | None
    layer_sync: bool
    key_index: int | None


def parse(payload: _Buffer) -> Descriptor:
    """Read the descriptor.

    Raises:
        WireError: cut off, or nothing follows it.
    """
    try:
        return _parse(payload)
    except IndexError:
        raise WireError("VP8 payload cut off") from None


def _parse(payload: _Buffer) -> Descriptor:
    first, size = payload[0], 1
    picture_id = tl0_picture_index = temporal_layer = key_index = None
    picture_id_bits, layer_sync = 0, False
    if first & 0x80:
        extension, size = payload[1], 2
        if extension & 0x80:
            picture_id, picture_id_bits = payload[size] & 0x7F, 7
            if payload[size] & 0x80:
                size += 1
                picture_id, picture_id_bits = picture_id << 8 | payload[size], 15
            size += 1
        if extension & 0x40:
            tl0_picture_index = payload[size]
            size += 1
        if extension & 0x30:
            if extension & 0x20:
                temporal_layer, layer_sync = payload[size] >> 6, bool(payload[size] & 0x20)
            if extension & 0x10:
                key_index = payload[size] & 0x1F
            size += 1
    if size >= len(payload):
        raise WireError("VP8 payload without frame data")
    return Descriptor(
        size,
        bool(first & 0x10),
        first & 0x07,
        bool(first & 0x20),
        picture_id,
        picture_id_bits,
        tl0_picture_index,
        temporal_layer,
        layer_sync,
        key_index,
    )


def header_size(payload: _Buffer, start: int = 0) -> int:
    """Bytes of the descriptor at ``start``; more than there are if it is cut off. No object is made: per packet."""
    size = len(payload)
    if start >= size or not payload[start] & 0x80:
        return 1
    if start + 1 >= size:
        return 2
    extension = payload[start + 1]
    length = 2
    if extension & 0x80:
        length += 2 if start + 2 < size and payload[start + 2] & 0x80 else 1
    if extension & 0x40:
        length += 1
    if extension & 0x30:
        length += 1
    return length


def is_keyframe(payload: _Buffer, start: int = 0) -> bool:
    """Whether a key frame begins in this packet: S=1, PID=0 and P=0 in the frame's first byte (RFC 7741, 4.3)."""
    if start >= len(payload) or payload[start] & 0x17 != 0x10:
        return False
    data = start + header_size(payload, start)
    return data < len(payload) and not payload[data] & 0x01


def picture_height(payload: _Buffer) -> int:
    """Lines of the key frame that begins in this packet, as its frame header has it (RFC 6386, 9.1); 0 if it has not.

    The header is one of the ten bytes that encryption leaves in clear (docs/protocol.md).
    """
    data = header_size(payload)
    if len(payload) < data + 10 or payload[data] & 0x01 or payload[data + 3 : data + 6] != _START_CODE:
        return 0
    return (payload[data + 9] << 8 | payload[data + 8]) & 0x3FFF


def temporal_layer(payload: _Buffer) -> tuple[int, bool] | None:
    """Which temporal layer the packet is of, and whether its frame leans on the lowest one alone; None if not said."""
    if len(payload) < 2 or not payload[0] & 0x80 or not payload[1] & 0x20:
        return None
    at = header_size(payload) - 1
    return (payload[at] >> 6, bool(payload[at] & 0x20)) if at < len(payload) else None


def with_earlier_picture(payload: bytes, frames: int) -> bytes:
    """The payload with the PictureID of so many frames before; as it is if it has none."""
    if not frames or len(payload) < 4 or not payload[0] & 0x80 or not payload[1] & 0x80:
        return payload
    if payload[2] & 0x80:
        picture = (payload[2] << 8 | payload[3]) - frames & 0x7FFF | 0x8000
        return payload[:2] + picture.to_bytes(2, "big") + payload[4:]
    return payload[:2] + bytes([payload[2] - frames & 0x7F]) + payload[3:]
