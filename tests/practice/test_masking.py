"""A picture of a paper is taken where four boxes of it are black, and no other; nothing of the file itself is kept."""

from itertools import islice, product

import pytest

from practice.pictures.formats import Header, said
from practice.pictures.intake import Intake
from practice.pictures.masking import boxes
from practice.settings import UploadSettings
from tests.papers import FAULTS, Place, file, masked, paper, typed
from tests.pictures import PLACE, SCRIPT, huge, photographed, seen
from tests.servers.clamd import FOUND, Clamd
from vault.errors import DomainError

MADE = 40
"""Papers that are not masked, or not all of it (S-48)."""


@pytest.fixture
def intake(clamd: Clamd) -> Intake:
    return Intake(UploadSettings(scanner=clamd.socket, most_bytes=4_000_000))


async def refused(intake: Intake, data: bytes, where: str) -> str:
    with pytest.raises(DomainError) as error:
        await intake.take_masked(data, where)
    return error.value.code


@pytest.mark.duty("S-48")
async def test_40_papers_that_are_not_masked_or_not_all_of_it_are_refused(intake: Intake) -> None:
    made = list(islice(product(range(3), FAULTS), MADE))
    for number, (layout, fault) in enumerate(made):
        one = fault(paper(layout, number))
        code = await refused(intake, file(one.pixels, ("png", "mjpeg", "webp")[number % 3]), typed(one.places))
        assert code == "picture_unmasked", (layout, fault.__name__)
    assert len(made) == MADE


@pytest.mark.duty("S-48")
@pytest.mark.parametrize("codec", ["png", "mjpeg", "webp"])
@pytest.mark.parametrize("layout", [0, 1, 2])
async def test_a_masked_one_is_taken_and_what_is_kept_shows_no_more(intake: Intake, layout: int, codec: str) -> None:
    one = masked(paper(layout, layout))
    kept = await intake.take_masked(file(one.pixels, codec) + SCRIPT, typed(one.places))
    assert said(kept).codec == "mjpeg" and max(said(kept)[1:]) <= 1200 and SCRIPT not in kept
    pixels = seen(kept)
    for place in one.places:
        middle = (place.y + place.height // 2, place.x + place.width // 2)
        assert max(pixels[middle]) <= 32
    assert pixels.mean() > 60, "the rest can be read"


async def test_a_picture_as_a_camera_makes_it_is_none(intake: Intake) -> None:
    where = typed((Place(0, 0, 100, 100), Place(120, 0, 150, 20), Place(120, 40, 60, 20), Place(120, 80, 60, 20)))
    assert PLACE in photographed(1)
    assert await refused(intake, photographed(1), where) == "picture_unmasked"


@pytest.mark.duty("S-48")
async def test_what_is_no_picture_is_too_large_or_is_found_by_the_scanner_is_refused_before(intake: Intake) -> None:
    one = masked(paper())
    right, where = file(one.pixels), typed(one.places)
    heic = b"\x00\x00\x00\x18ftypheic" + bytes(200)
    for data, code in (
        (b"%PDF-1.7\n" + bytes(200), "picture_unreadable"),
        (heic, "picture_unreadable"),
        (huge(), "picture_pixels"),
        (right + bytes(4_000_000), "too_large"),
        (right + FOUND, "file_infected"),
        (right[:2000], "picture_unreadable"),
    ):
        assert await refused(intake, data, where) == code


WHOLE = Header("png", 1200, 848)


@pytest.mark.parametrize(
    "where",
    [
        *("", "1,2,3", "1,2,3,4 5,6,7,8", "a,b,c,d " * 4, "-1,0,300,300 0,0,600,60 0,400,200,40 0,500,200,40"),
        *("1e3,0,300,300 0,0,600,60 0,400,200,40 0,500,200,40", "99999,0,300,300 0,0,600,60 0,400,200,40 0,500,200,40"),
        "0,0,1200,700 0,700,1200,140 0,0,1200,400 0,0,1200,400",
        "0,0,300,300 400,0,600,60 0,400,200,40 0,500,200,40 0,600,200,40",
    ],
)
def test_boxes_that_cannot_be_meant_are_refused(where: str) -> None:
    assert boxes("0,0,300,300 400,0,600,60 0,400,200,40 0,500,200,40", WHOLE)
    with pytest.raises(DomainError, match="picture_unmasked"):
        boxes(where, WHOLE)


def test_nor_in_a_picture_in_which_nothing_could_be_read() -> None:
    with pytest.raises(DomainError, match="picture_unmasked"):
        boxes("0,0,60,60 80,0,100,20 80,40,60,20 80,80,60,20", Header("png", 300, 200))
