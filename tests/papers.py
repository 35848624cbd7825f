"""Papers that nobody has: drawn here, with a photograph, lines for machines and two numbers, masked, or not quite."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final, NamedTuple, cast

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

Pixels = np.ndarray[Any, Any]


class Place(NamedTuple):
    """In pixels."""

    x: int
    y: int
    width: int
    height: int


class Paper(NamedTuple):
    """A drawn one, and where it says what: photograph, lines for machines, number of the document, of the citizen."""

    pixels: Pixels
    places: tuple[Place, ...]


LAYOUTS: Final = (
    ((1200, 848), ((48, 176, 336, 432), (48, 672, 1104, 128), (816, 64, 320, 48), (432, 512, 320, 48))),
    ((1008, 640), ((656, 112, 288, 352), (32, 496, 944, 112), (64, 48, 240, 32), (64, 384, 256, 32))),
    ((848, 1200), ((64, 240, 272, 336), (32, 1008, 784, 112), (448, 160, 320, 48), (400, 720, 320, 48))),
)


def paper(layout: int = 0, seed: int = 1) -> Paper:
    """On a table, with a pattern, words, and all that is to be covered."""
    chance = np.random.default_rng(seed)
    (width, height), places = LAYOUTS[layout % len(LAYOUTS)]
    pixels = np.full((height, width, 3), 228, np.uint8)
    pixels[..., 2] = 205
    pixels += chance.integers(0, 18, pixels.shape, np.uint8)
    for row in range(40, height - 40, 64):
        word = int(chance.integers(120, width // 2))
        pixels[row : row + 14, 30 : 30 + word : 3] = 40
    photo, *texts = (Place(*one) for one in places)
    face = np.linspace(60, 220, photo.height, dtype=np.uint8)[:, None, None]
    pixels[photo.y : photo.y + photo.height, photo.x : photo.x + photo.width] = face
    for place in texts:
        inside = pixels[place.y : place.y + place.height, place.x : place.x + place.width]
        inside[..., :] = 235
        for row in range(6, place.height - 12, 28):
            for column in range(4, place.width - 12, 16):
                inside[row : row + 18, column : column + int(chance.integers(5, 11))] = 25
    return Paper(pixels, (photo, *texts))


def covered(pixels: Pixels, place: Place, colour: int | tuple[int, int, int] = 0) -> None:
    """A box, burned in."""
    pixels[place.y : place.y + place.height, place.x : place.x + place.width] = colour


def masked(one: Paper) -> Paper:
    """As the page makes it."""
    pixels = one.pixels.copy()
    for place in one.places:
        covered(pixels, place)
    return Paper(pixels, one.places)


def file(pixels: Pixels, codec: str = "png") -> bytes:
    """In one of the three formats."""
    name, form = {"png": ("png", "rgb24"), "mjpeg": ("mjpeg", "yuvj420p"), "webp": ("libwebp", "yuv420p")}[codec]
    encoder = cast("VideoCodecContext", av.CodecContext.create(name, "w"))
    height, width = pixels.shape[:2]
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = width, height, form, Fraction(1, 1)
    if codec == "mjpeg":
        encoder.options = {"flags": "+qscale", "global_quality": str(3 * 118)}
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24").reformat(format=form)
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def typed(places: tuple[Place, ...]) -> str:
    """As the page says where its boxes are."""
    return " ".join(",".join(map(str, one)) for one in places)


# --- not quite --------------------------------------------------------------------------------------------------------


def unmasked(one: Paper) -> Paper:
    return one


def without(at: int) -> Callable[[Paper], Paper]:
    def missing(one: Paper) -> Paper:
        made = masked(one).pixels
        place = one.places[at]
        rows, columns = slice(place.y, place.y + place.height), slice(place.x, place.x + place.width)
        made[rows, columns] = one.pixels[rows, columns]
        return Paper(made, one.places)

    missing.__name__ = f"without_{at}"
    return missing


def half(one: Paper) -> Paper:
    made = masked(one).pixels
    place = one.places[1]
    begin = place.x + place.width // 2
    made[place.y : place.y + place.height, begin : place.x + place.width] = one.pixels[
        place.y : place.y + place.height, begin : place.x + place.width
    ]
    return Paper(made, one.places)


def a_line_left(one: Paper) -> Paper:
    made = masked(one).pixels
    place = one.places[3]
    row = place.y + place.height // 2
    made[row : row + 6, place.x : place.x + place.width] = one.pixels[row : row + 6, place.x : place.x + place.width]
    return Paper(made, one.places)


def grey(one: Paper) -> Paper:
    made = one.pixels.copy()
    for place in one.places:
        covered(made, place, 70)
    return Paper(made, one.places)


def white(one: Paper) -> Paper:
    made = one.pixels.copy()
    for place in one.places:
        covered(made, place, 255)
    return Paper(made, one.places)


def blue(one: Paper) -> Paper:
    made = masked(one).pixels
    covered(made, one.places[2], (0, 0, 90))
    return Paper(made, one.places)


def seen_through(one: Paper) -> Paper:
    made = one.pixels.copy()
    for place in one.places:
        inside = made[place.y : place.y + place.height, place.x : place.x + place.width]
        inside[...] = inside // 4
    return Paper(made, one.places)


def coarse(one: Paper) -> Paper:
    made = one.pixels.copy()
    for place in one.places:
        inside = made[place.y : place.y + place.height, place.x : place.x + place.width]
        inside[...] = inside[::16, ::16].repeat(16, 0).repeat(16, 1)[: place.height, : place.width]
    return Paper(made, one.places)


def beside(one: Paper) -> Paper:
    """Burned in a little further down than what it says."""
    made = one.pixels.copy()
    for place in one.places:
        covered(made, place._replace(y=place.y + 24))
    return Paper(made, one.places)


def one_place(one: Paper) -> Paper:
    """The four of them where one is."""
    made = one.pixels.copy()
    covered(made, one.places[1])
    x, y, width, height = one.places[1]
    return Paper(made, (Place(x, y, width, height),) * 4)


def tiny(one: Paper) -> Paper:
    made = one.pixels.copy()
    dots = tuple(Place(100 + 60 * number, 100, 14, 14) for number in range(4))
    for place in dots:
        covered(made, place)
    return Paper(made, dots)


def on_a_dark_table(one: Paper) -> Paper:
    """Not covered; the boxes are said to be where the table is black anyway."""
    height, width = one.pixels.shape[:2]
    made = np.zeros((height + 512, width, 3), np.uint8)
    made[:height] = one.pixels
    boxes = (
        *(Place(32, height + 64, 288, 352), Place(352, height + 64, 480, 96)),
        *(Place(352, height + 224, 240, 48), Place(352, height + 320, 240, 48)),
    )
    return Paper(made, boxes)


def all_dark(one: Paper) -> Paper:
    return Paper((one.pixels // 16).astype(np.uint8), one.places)


FAULTS: Final[tuple[Callable[[Paper], Paper], ...]] = (
    *(unmasked, without(0), without(1), without(2), without(3), half, a_line_left, grey, white, blue),
    *(seen_through, coarse, beside, one_place, tiny, on_a_dark_table, all_dark),
)
