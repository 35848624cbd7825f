"""Decodes one picture and encodes it anew: a program of its own, which handles what strangers made.

    python encoder.py CODEC WIDTH HEIGHT logo|photograph < file > picture
    python encoder.py CODEC WIDTH HEIGHT masked X,Y,WIDTH,HEIGHT … < file > picture

The second demands that these boxes are black, and ends with ``UNMASKED`` where they are not.

It may open no file and write none, and is ended when it takes too much memory or time. PyAV does it, which the server
has anyway: one decoder is chosen by its name and given the bytes, so nothing guesses what they could be, and no
protocol, no container and no other decoder of FFmpeg's can be reached by them.
"""

import resource
import sys
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple, cast

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

MASKED = 1200
"""The longer side of a masked paper: what is left of it can be read."""
UNMASKED = 3
"""The program's status where a box is not black."""
BLACK = 32
"""Of 255, in each colour: so far from black a JPEG may be in the middle of what was."""
INSET = 4
"""Pixels of a box at each edge, where a JPEG mixes what is inside with what is outside."""
ASIDE = 12
"""Pixels outside a box, where it is looked whether it is one, or a dark place of the picture."""
LIGHT = 48
SHARE = 4
"""One in so many of what is looked at outside of boxes is light at least."""


class Patch(NamedTuple):
    """In pixels of the picture, upright, from its upper left corner."""

    x: int
    y: int
    width: int
    height: int

    def holds(self, x: int, y: int) -> bool:
        """Whether a pixel is in it."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


class Unmasked(Exception):  # noqa: N818 -- a state, not a mistake
    """Something could be read that must not."""


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


def masked(frame: VideoFrame, boxes: list[Patch]) -> bytes:
    """JPEG, of which only what is not in these boxes can be seen. Unmasked where one of them is not black."""
    plain = filtered(frame, [*upright(frame.rotation), ("format", "rgb24")])  # what alpha would hide counts as seen
    demand_black(bytes(plain.planes[0]), plain.planes[0].line_size, plain.width, plain.height, boxes)
    fit = f"w='min(iw,{MASKED})':h='min(ih,{MASKED})':force_original_aspect_ratio=decrease:flags=lanczos"
    steps = [("scale", fit), ("format", "yuvj420p")]
    return encoded(filtered(plain, steps), "mjpeg", {"flags": "+qscale+bitexact", "global_quality": str(FINE * 118)})


def demand_black(pixels: bytes, line: int, width: int, height: int, boxes: list[Patch]) -> None:
    """Of three bytes a pixel. Unmasked where a box is not black all over, is in a place that is dark itself, or where
    nothing else is to be seen.
    """

    def is_light(x: int, y: int) -> bool:
        at = y * line + x * 3
        return max(pixels[at : at + 3]) > LIGHT

    for box in boxes:
        begin, end = (box.x + INSET) * 3, (box.x + box.width - INSET) * 3
        for y in range(box.y + INSET, box.y + box.height - INSET):
            if max(pixels[y * line + begin : y * line + end]) > BLACK:
                raise Unmasked
        left, right, top, bottom = box.x - ASIDE, box.x + box.width + ASIDE, box.y - ASIDE, box.y + box.height + ASIDE
        around = [(x, y) for x in range(box.x, box.x + box.width, 4) for y in (top, bottom)]
        around += [(x, y) for y in range(box.y, box.y + box.height, 4) for x in (left, right)]
        demand_light([is_light(x, y) for x, y in around if 0 <= x < width and 0 <= y < height])
    others = [
        is_light(x, y)
        for y in range(0, height, 8)
        for x in range(0, width, 8)
        if not any(box.holds(x, y) for box in boxes)
    ]
    demand_light(others)


def demand_light(looks: list[bool]) -> None:
    """Unmasked where too few are."""
    if sum(looks) * SHARE < max(1, len(looks)):
        raise Unmasked


def main() -> None:
    """One picture."""
    codec, width, height, use, *boxes = sys.argv[1:]
    av.logging.set_level(None)
    confine()
    frame = decoded(sys.stdin.buffer.read(), codec, int(width), int(height))
    if use == "masked":
        try:
            made = masked(frame, [Patch(*map(int, one.split(","))) for one in boxes])
        except Unmasked:
            sys.exit(UNMASKED)
    else:
        made = {"logo": logo, "photograph": photograph}[use](frame)
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main()
