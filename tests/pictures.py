"""Pictures as cameras, programs and strangers make them, drawn here."""

import struct
import zlib
from fractions import Fraction
from typing import Any, Final, cast

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from practice.pictures.formats import PNG

RED: Final = (200, 30, 40)
BLUE: Final = (20, 40, 200)
PLACE: Final = b"GPSLatitude 52.0907374 canary"
SCRIPT: Final = b"<script>alert(1)</script>"
SVG: Final = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def drawn(width: int = 400, height: int = 200) -> VideoFrame:
    """Red on the left, blue on the right, a corner that is seen through."""
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[..., :3], pixels[..., 3] = BLUE, 255
    pixels[:, : width // 2, :3] = RED
    pixels[: height // 8, : width // 8, 3] = 0
    return VideoFrame.from_ndarray(pixels, format="rgba")


def picture(codec: str = "png", width: int = 400, height: int = 200) -> bytes:
    """In one of the three formats."""
    name, form = {"png": ("png", "rgba"), "mjpeg": ("mjpeg", "yuvj420p"), "webp": ("libwebp", "yuva420p")}[codec]
    encoder = cast("VideoCodecContext", av.CodecContext.create(name, "w"))
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = width, height, form, Fraction(1, 1)
    frame = drawn(width, height).reformat(format=form)
    frame.pts = 0
    return b"".join(bytes(one) for one in [*encoder.encode(frame), *encoder.encode(None)])


def seen(data: bytes) -> np.ndarray[Any, Any]:
    """The pixels of a PNG or JPEG: height by width by red, green, blue."""
    decoder = av.CodecContext.create("png" if data.startswith(PNG) else "mjpeg", "r")
    (frame,) = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
    return frame.to_ndarray(format="rgb24")


def photographed(turned: int = 6) -> bytes:
    """A JPEG as a telephone makes it: on its side (Exif 2.32, Orientation), and it says where that was."""
    directory = struct.pack(">HHHIHH", 1, 0x0112, 3, 1, turned, 0) + bytes(4)
    exif = b"Exif\0\0MM\0*" + struct.pack(">I", 8) + directory + PLACE
    plain = picture("mjpeg")
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:]


def chunk(name: bytes, data: bytes) -> bytes:
    """Of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def huge(side: int = 30_000) -> bytes:
    """A PNG of a few bytes that says it has this many pixels squared."""
    header = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    return PNG + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
