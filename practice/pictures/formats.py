"""What a file says of itself before anything decodes it: which of three formats, and how many pixels.

A picture of 30,000 by 30,000 pixels is a few kilobytes, and gigabytes once it is decoded. SVG is none of the formats:
it is a program.
"""

from typing import Final, Literal, NamedTuple

from vault.errors import DomainError

Codec = Literal["png", "mjpeg", "webp"]
"""As the decoders are called."""

MOST_PIXELS: Final = 25_000_000
LONGEST: Final = 12_000

PNG: Final = b"\x89PNG\r\n\x1a\n"
JPEG: Final = b"\xff\xd8\xff"
FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Markers of JPEG (T.81, table B.1) that begin a frame, and say its size."""
ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
"""Those without a length."""
SCAN: Final = 0xDA
VP8_BEGINS: Final = b"\x9d\x01\x2a"
VP8L_BEGINS: Final = 0x2F


class Header(NamedTuple):
    """A file's own word, which the decoder is held to."""

    codec: Codec
    width: int
    height: int


def said(data: bytes) -> Header:
    """Errors: ``picture_unreadable`` (none of the three, or cut off), ``picture_pixels`` (too many of them)."""
    try:
        found = _said(data)
    except (IndexError, ValueError):
        raise DomainError("picture_unreadable") from None
    if max(found.width, found.height) > LONGEST or found.width * found.height > MOST_PIXELS:
        raise DomainError("picture_pixels")
    if not min(found.width, found.height):
        raise DomainError("picture_unreadable")
    return found


def _said(data: bytes) -> Header:
    if data.startswith(PNG) and data[12:16] == b"IHDR":
        return Header("png", _big(data, 16, 4), _big(data, 20, 4))
    if data.startswith(JPEG):
        return _of_jpeg(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Header("webp", *_of_webp(data))
    raise ValueError("none of the formats")


def _of_jpeg(data: bytes) -> Header:
    """By the segments before the first scan (T.81, B.1.1)."""
    at = 2
    while True:
        if data[at] != 0xFF:
            raise ValueError("no marker")
        marker = data[at + 1]
        if marker == 0xFF or marker in ALONE:
            at += 1 if marker == 0xFF else 2
        elif marker in FRAMES:
            return Header("mjpeg", _big(data, at + 7, 2), _big(data, at + 5, 2))
        elif marker == SCAN:
            raise ValueError("a scan before any frame")
        else:
            at += 2 + _big(data, at + 2, 2)


def _of_webp(data: bytes) -> tuple[int, int]:
    """By the first chunk (RFC 9649)."""
    match data[12:16]:
        case b"VP8X":
            return _little(data, 24, 3) + 1, _little(data, 27, 3) + 1
        case b"VP8L" if data[20] == VP8L_BEGINS:
            bits = _little(data, 21, 4)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 " if data[23:26] == VP8_BEGINS:
            return _little(data, 26, 2) & 0x3FFF, _little(data, 28, 2) & 0x3FFF
    raise ValueError("no picture in it")


def _big(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(_whole(data, at, size), "big")


def _little(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(_whole(data, at, size), "little")


def _whole(data: bytes, at: int, size: int) -> bytes:
    if len(data) < at + size:
        raise ValueError("cut off")
    return data[at : at + size]
