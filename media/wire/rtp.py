"""RTP headers (RFC 3550, RFC 8285) read and written in place: no object per packet.

Positions are offsets into a memoryview; a packet is never copied to be looked at.
"""

import sys
from struct import Struct

HEADER = Struct("!BBHII")
"""First byte, marker and payload type, sequence number, timestamp, SSRC."""

HEADER_WITH_SEND_TIME = Struct("!BBHIIHHI")
"""A header with one extension word: 0xBEDE, 1, and abs-send-time as a one-byte-form element."""

EXTENDED = 0x90
"""First byte of a version 2 packet with an extension, without padding and contributing sources."""

PLAIN = 0x80
PADDED = 0x20
MARKER = 0x80
ONE_BYTE_FORM = 0xBEDE
_TWO_BYTE_FORM = 0x1000

SSRC = Struct("!I")
SEQUENCE = Struct("!H")


def machine_word(number: int) -> int:
    """What this machine reads where 32 bits were written in network order."""
    return int.from_bytes(number.to_bytes(4, "big"), sys.byteorder)


def payload_bounds(view: memoryview, base: int, length: int) -> tuple[int, int] | None:
    """Where the payload of the packet at ``base`` starts and ends, padding taken off; None if malformed.

    An empty range is a packet of padding only.
    """
    first = view[base]
    end = base + length
    start = base + 12 + 4 * (first & 0x0F)
    if first & 0x10:
        if start + 4 > end:
            return None
        start += 4 + 4 * (view[start + 2] << 8 | view[start + 3])
    if first & 0x20:
        if end <= start:
            return None
        end -= view[end - 1] or length
    return (start, end) if start <= end else None


def find_extension(view: memoryview, base: int, length: int, identifier: int) -> tuple[int, int]:
    """Where the value of a header extension starts and how many bytes it has; (0, 0) if it is not there.

    Both forms of RFC 8285 are read; the whole walk stays inside the packet.
    """
    start = base + 12 + 4 * (view[base] & 0x0F)
    if not view[base] & 0x10 or start + 4 > base + length:
        return 0, 0
    form = view[start] << 8 | view[start + 1]
    end = start + 4 + 4 * (view[start + 2] << 8 | view[start + 3])
    if end > base + length:
        return 0, 0
    if form == ONE_BYTE_FORM:
        return _find_one_byte(view, start + 4, end, identifier)
    if form & 0xFFF0 == _TWO_BYTE_FORM:
        return _find_two_byte(view, start + 4, end, identifier)
    return 0, 0


def extension_text(view: memoryview, base: int, length: int, identifier: int) -> str:
    """The value of a header extension that names something in ASCII (RFC 8852, RFC 9143); empty if it is not there."""
    at, size = find_extension(view, base, length, identifier) if identifier else (0, 0)
    return bytes(view[at : at + size]).decode("ascii", "replace")


def _find_one_byte(view: memoryview, position: int, end: int, identifier: int) -> tuple[int, int]:
    while position < end:
        byte = view[position]
        if byte >> 4 == 15:
            break
        if not byte:
            position += 1
            continue
        size = (byte & 0x0F) + 1
        if position + 1 + size > end:
            break
        if byte >> 4 == identifier:
            return position + 1, size
        position += 1 + size
    return 0, 0


def _find_two_byte(view: memoryview, position: int, end: int, identifier: int) -> tuple[int, int]:
    while position < end:
        if not view[position]:
            position += 1
            continue
        if position + 2 > end or position + 2 + view[position + 1] > end:
            break
        if view[position] == identifier:
            return position + 2, view[position + 1]
        position += 2 + view[position + 1]
    return 0, 0


def one_byte_extensions(elements: list[tuple[int, bytes]]) -> bytes:
    """The extension block of a header: form, length in words, elements of 1 to 16 bytes, padding."""
    body = b"".join(bytes([identifier << 4 | len(value) - 1]) + value for identifier, value in elements)
    body += bytes(-len(body) % 4)
    return ONE_BYTE_FORM.to_bytes(2, "big") + (len(body) // 4).to_bytes(2, "big") + body


def send_time(now: float) -> int:
    """Seconds as abs-send-time: 24 bits, 6.18 fixed point."""
    return int(now * 262_144.0) & 0xFF_FFFF
