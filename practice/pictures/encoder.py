"""Decodes one picture and encodes it anew: a program of its own, which handles what strangers made.

    python encoder.py CODEC WIDTH HEIGHT logo|photograph < file > picture

It may open no file and write none, and is ended when it takes too much memory or time. PyAV does it, which the server
has anyway: one decoder is chosen by its name and given the bytes, so nothing guesses what they could be, and no
protocol, no container and no other decoder of FFmpeg's can be reached by them.
"""

import resource
import sys
from fractions import Fraction
from itertools import pairwise
from typing import cast

import av
from av.filter import Graph
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

MEMORY = 1 << 30
SECONDS = 10
OPEN = 3
"""Standard input, output and errors."""

ALIGNED = 64
"""To a multiple of this FFmpeg makes its buffers longer and higher."""

LOGO = (480, 160)
"""Of a box that it is made to fit, in pixels; a smaller one stays as it is."""
PHOTOGRAPH = 320
"""Both sides: the middle of it."""
FINE = 3
"""Of JPEG: from 2, the best, to 31."""


def confine() -> None:
    """Whatever happens to it from here on, it can do little."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, OPEN),
    ):
        resource.setrlimit(what, (most, most))


def decoded(data: bytes, codec: str, width: int, height: int) -> VideoFrame:
    """The only frame of it, of this size. ValueError for any other."""
    decoder = cast("VideoCodecContext", av.CodecContext.create(codec, "r"))
    decoder.thread_count = 1
    decoder.options = {"max_pixels": str((width + ALIGNED) * (height + ALIGNED))}
    frames = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
    if len(frames) != 1 or (frames[0].width, frames[0].height) != (width, height):
        raise ValueError("not what it said of itself")
    return frames[0]


def upright(rotation: int) -> list[tuple[str, str]]:
    """What turns a picture that the camera was turned for (``rotation``: degrees against the clock)."""
    match round(rotation / 90) % 4:
        case 1:
            return [("transpose", "cclock")]
        case 2:
            return [("hflip", ""), ("vflip", "")]
        case 3:
            return [("transpose", "clock")]
    return []


def filtered(frame: VideoFrame, steps: list[tuple[str, str]]) -> VideoFrame:
    """A frame that went through these filters, in this order."""
    graph = Graph()
    nodes = [graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1))]
    nodes += [graph.add(name, arguments) for name, arguments in steps]
    nodes.append(graph.add("buffersink"))
    for one, next_one in pairwise(nodes):
        one.link_to(next_one)
    graph.configure()
    frame.pts, frame.time_base = 0, Fraction(1, 1)
    nodes[0].push(frame)
    made = nodes[-1].pull()
    assert isinstance(made, VideoFrame)
    return made


def encoded(frame: VideoFrame, codec: str, options: dict[str, str]) -> bytes:
    """As a file of its own."""
    encoder = cast("VideoCodecContext", av.CodecContext.create(codec, "w"))
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, frame.format.name
    encoder.time_base, encoder.options = Fraction(1, 1), options
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def logo(frame: VideoFrame) -> bytes:
    """PNG, as it may be seen through."""
    width, height = LOGO
    fit = f"w='min(iw,{width})':h='min(ih,{height})':force_original_aspect_ratio=decrease:flags=lanczos"
    return encoded(filtered(frame, [*upright(frame.rotation), ("scale", fit), ("format", "rgba")]), "png", {})


def photograph(frame: VideoFrame) -> bytes:
    """JPEG, square; nothing of a photograph is seen through."""
    cut, side = "w='min(iw,ih)':h='min(iw,ih)'", f"{PHOTOGRAPH}:{PHOTOGRAPH}:flags=lanczos"
    steps = [*upright(frame.rotation), ("crop", cut), ("scale", side), ("format", "yuvj420p")]
    return encoded(filtered(frame, steps), "mjpeg", {"flags": "+qscale+bitexact", "global_quality": str(FINE * 118)})


def main() -> None:
    """One picture."""
    codec, width, height, use = sys.argv[1:]
    av.logging.set_level(None)
    confine()
    frame = decoded(sys.stdin.buffer.read(), codec, int(width), int(height))
    sys.stdout.buffer.write({"logo": logo, "photograph": photograph}[use](frame))


if __name__ == "__main__":
    main()
