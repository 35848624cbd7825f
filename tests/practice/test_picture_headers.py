"""What the three formats say of themselves, to the bit: sizes, what stands before them, and where a file is cut off."""

import struct

import pytest

from practice.pictures.formats import ALONE, FRAMES, LONGEST, MOST_PIXELS, Header, said
from tests.pictures import picture
from vault.errors import DomainError


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height)


def jpeg(width: int, height: int, before: bytes = b"", marker: int = 0xC0) -> bytes:
    """Two bytes that begin it, what stands before the frame, and the frame."""
    return b"\xff\xd8" + before + struct.pack(">BBHBHH", 0xFF, marker, 17, 8, height, width)


def webp(chunk: bytes, rest: bytes) -> bytes:
    return b"RIFF\x00\x00\x00\x00WEBP" + chunk + b"\x00\x00\x00\x00" + rest


def extended(width: int, height: int) -> bytes:
    return webp(b"VP8X", bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little"))


def lossless(width: int, height: int) -> bytes:
    return webp(b"VP8L", b"\x2f" + (width - 1 | height - 1 << 14 | 0b11 << 28).to_bytes(4, "little"))


def lossy(width: int, height: int) -> bytes:
    """The upper two bits of each are its scale."""
    return webp(b"VP8 ", bytes(3) + b"\x9d\x01\x2a" + struct.pack("<HH", width | 0x4000, height | 0x8000))


MAKERS = {"png": png, "mjpeg": jpeg, "extended": extended, "lossless": lossless, "lossy": lossy}


def refusal(data: bytes) -> str:
    with pytest.raises(DomainError) as error:
        said(data)
    return error.value.code


@pytest.mark.parametrize("name", MAKERS)
def test_width_and_height_stand_where_they_stand(name: str) -> None:
    make, codec = MAKERS[name], name if name in ("png", "mjpeg") else "webp"
    for width, height in ((1, 1), (2, 1), (1, 2), (258, 513), (513, 258), (LONGEST, 2083), (5000, 5000)):
        found = said(make(width, height) + b"what follows")
        assert (found.codec, found.width, found.height) == (codec, width, height)
        assert said(make(width, height)) == found, "and nothing has to"
    for end in range(len(make(258, 513))):
        assert refusal(make(258, 513)[:end]) == "picture_unreadable"


@pytest.mark.parametrize("name", MAKERS)
def test_too_long_a_side_or_too_many_pixels_are_said(name: str) -> None:
    for width, height in ((LONGEST + 1, 1), (1, LONGEST + 1), (5000, 5001), (5001, 5000)):
        assert refusal(MAKERS[name](width, height)) == "picture_pixels"
    assert (LONGEST, MOST_PIXELS) == (12_000, 25_000_000)


@pytest.mark.parametrize("name", ["png", "mjpeg", "lossy"])
def test_without_a_side_it_is_none(name: str) -> None:
    assert refusal(MAKERS[name](0, 9)) == refusal(MAKERS[name](9, 0)) == "picture_unreadable"


def test_every_frame_of_a_jpeg_is_found_behind_what_may_stand_before_it() -> None:
    before = b"\xff\xe1\x00\x05\xff\xc0\x00" + b"\xff" + b"".join(bytes((0xFF, one)) for one in sorted(ALONE))
    before += b"\xff\xdb\x00\x02" + b"\xff\xff\xff" + b"\xff\xc4\x00\x03\x00\xff\xc8\x00\x02\xff\xcc\x00\x02"
    assert len(FRAMES) == 13
    for marker in FRAMES:
        assert said(jpeg(300, 200, before, marker)) == Header("mjpeg", 300, 200)
    assert refusal(jpeg(300, 200, b"\xff\xda\x00\x02")) == "picture_unreadable", "a scan before any frame"
    assert refusal(jpeg(300, 200, b"\x00")) == refusal(jpeg(300, 200, b"\xff\xe1\x00\x03")) == "picture_unreadable"


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IDAT", 9, 9),
        png(9, 9)[1:],
        b"RIFX" + extended(9, 9)[4:],
        extended(9, 9)[:8] + b"WAVE" + extended(9, 9)[12:],
        webp(b"ALPH", bytes(20)),
        lossless(9, 9).replace(b"\x2f", b"\x2e"),
        lossy(9, 9).replace(b"\x9d\x01\x2a", b"\x9d\x01\x2b"),
    ],
)
def test_what_only_looks_like_one_is_none(data: bytes) -> None:
    assert refusal(data) == "picture_unreadable"


def test_it_agrees_with_whoever_encodes_them() -> None:
    for codec in ("png", "mjpeg", "webp"):
        assert said(picture(codec, 124, 62)) == Header(codec, 124, 62)
