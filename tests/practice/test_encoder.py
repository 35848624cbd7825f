"""The program that encodes a picture, run in this process: its limits are noted here, and hold in the child."""

import io
import resource
import runpy
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import av
import pytest

from practice.pictures import encoder
from practice.pictures.encoding import PROGRAM
from practice.pictures.formats import said
from tests.pictures import BLUE, RED, photographed, picture, seen
from tests.practice.test_pictures import like

Encode = Callable[..., bytes]

LIMITS = {
    resource.RLIMIT_AS: 1 << 30,
    resource.RLIMIT_CPU: 10,
    resource.RLIMIT_FSIZE: 0,
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_NOFILE: 3,
}


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[int, tuple[int, int]]]:
    """The limits that were asked for, soft and hard; none of them holds."""
    found: dict[int, tuple[int, int]] = {}
    monkeypatch.setattr(resource, "setrlimit", found.__setitem__)
    level = av.logging.get_level()
    yield found
    av.logging.set_level(level)


@pytest.fixture
def encode(noted: dict[int, tuple[int, int]], monkeypatch: pytest.MonkeyPatch) -> Encode:
    """What the program writes when it is given this picture, and told this of it."""

    def run(data: bytes, use: str, program: Callable[[], object] = encoder.main) -> bytes:
        header, written = said(data), io.BytesIO()
        told = [str(PROGRAM), header.codec, str(header.width), str(header.height), use]
        monkeypatch.setattr(sys, "argv", told)
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
        monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=written))
        program()
        return written.getvalue()

    return run


@pytest.mark.parametrize("codec", ["png", "mjpeg", "webp"])
def test_a_logo_fits_its_box_and_a_photograph_is_the_middle(encode: Encode, codec: str) -> None:
    logo = encode(picture(codec, 1200, 600), "logo")
    assert (said(logo).codec, said(logo).width, said(logo).height) == ("png", 320, 160)
    assert encode(picture(codec, 1000, 200), "logo")[16:24] == (480).to_bytes(4, "big") + (96).to_bytes(4, "big")
    photograph = encode(picture(codec, 1200, 600), "photograph")
    assert (said(photograph).codec, said(photograph).width, said(photograph).height) == ("mjpeg", 320, 320)
    for made, left, right in ((logo, 10, 310), (photograph, 10, 310)):
        assert like(seen(made)[150, left], RED) and like(seen(made)[150, right], BLUE)


@pytest.mark.parametrize(
    ("turned", "red"), [(1, [1, 0, 1, 0]), (3, [0, 1, 0, 1]), (6, [1, 1, 0, 0]), (8, [0, 0, 1, 1])]
)
def test_each_way_that_a_camera_is_held_comes_upright(encode: Encode, turned: int, red: list[bool]) -> None:
    """Its left half was red; the corners, line by line."""
    made = seen(encode(photographed(turned), "photograph"))
    assert [like(made[where], RED) for where in ((20, 20), (20, 300), (300, 20), (300, 300))] == red


def test_what_is_seen_through_stays_so_in_a_logo_alone(encode: Encode) -> None:
    (frame,) = av.CodecContext.create("png", "r").decode(av.Packet(encode(picture("png"), "logo")))
    alpha = frame.to_ndarray(format="rgba")[..., 3]
    assert (alpha[0, 0], alpha[100, 100]) == (0, 255)


def test_the_limits_stand_before_anything_is_decoded(
    encode: Encode, noted: dict[int, tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, before = encoder.decoded, list[dict[int, tuple[int, int]]]()

    def decoded(*what: Any) -> object:
        before.append(dict(noted))
        return real(*what)

    monkeypatch.setattr(encoder, "decoded", decoded)
    encode(picture(), "logo")
    assert before == [{one: (most, most) for one, most in LIMITS.items()}]


def test_it_runs_as_a_program(encode: Encode) -> None:
    made = encode(picture(), "photograph", lambda: runpy.run_path(str(PROGRAM), run_name="__main__"))
    assert said(made).codec == "mjpeg"


@pytest.mark.parametrize("codec", ["png", "mjpeg", "webp"])
def test_a_picture_of_another_size_than_it_said_is_none(codec: str) -> None:
    data = picture(codec, 64, 48)
    assert encoder.decoded(data, codec, 64, 48).width == 64
    for width, height in ((63, 48), (64, 47)):
        with pytest.raises(ValueError, match="not what it said"):
            encoder.decoded(data, codec, width, height)


def test_one_that_is_far_larger_than_it_said_is_not_decoded() -> None:
    with pytest.raises(av.FFmpegError):
        encoder.decoded(picture("mjpeg", 4000, 2000), "mjpeg", 40, 20)


def test_nothing_and_what_has_no_picture_is_refused() -> None:
    for data in (b"", b"\xff\xd8\xff\xd9"):
        with pytest.raises((ValueError, av.FFmpegError)):
            encoder.decoded(data, "mjpeg", 40, 20)
