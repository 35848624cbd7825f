"""What is kept of an uploaded picture, and of what nothing is."""

import asyncio
import signal
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from practice.pictures.formats import said
from practice.pictures.intake import Intake
from practice.pictures.scanner import Scanner
from practice.settings import UploadSettings
from tests.pictures import BLUE, PLACE, RED, SCRIPT, SVG, chunk, huge, photographed, picture, seen
from tests.servers import clamd as clamd_servers
from tests.servers.clamd import FOUND, NUMBER, Clamd
from vault.errors import DomainError


@pytest.fixture
def intake(clamd: Clamd) -> Intake:
    return Intake(UploadSettings(scanner=clamd.socket))


@pytest.fixture(scope="module")
def unlisted(clamd: Clamd) -> Iterator[Clamd]:
    """One that runs and has no list of signatures."""
    with clamd_servers.running(listed=False) as server:
        yield server


async def refused(intake: Intake, data: bytes) -> str:
    with pytest.raises(DomainError) as error:
        await intake.take(data, "logo")
    return error.value.code


def like(pixel: Iterable[Any], colour: tuple[int, int, int]) -> bool:
    return all(abs(int(a) - b) < 30 for a, b in zip(pixel, colour, strict=True))


@pytest.mark.parametrize("codec", ["png", "mjpeg", "webp"])
async def test_each_format_becomes_ours(intake: Intake, codec: str) -> None:
    logo = await intake.take(picture(codec), "logo")
    assert (said(logo).codec, said(logo).width, said(logo).height) == ("png", 320, 160), "made to fit, in proportion"
    assert like(seen(logo)[150, 10], RED) and like(seen(logo)[150, 310], BLUE)
    photograph = await intake.take(picture(codec), "photograph")
    assert (said(photograph).codec, said(photograph).width, said(photograph).height) == ("mjpeg", 320, 320)
    assert like(seen(photograph)[160, 40], RED) and like(seen(photograph)[160, 280], BLUE), "the middle of it"


async def test_a_small_one_is_not_made_larger(intake: Intake) -> None:
    made = said(await intake.take(picture("png", 60, 30), "logo"))
    assert (made.width, made.height) == (60, 30)


@pytest.mark.parametrize(("turned", "top"), [(6, RED), (8, BLUE)])
async def test_what_a_camera_wrote_beside_it_is_gone_and_it_stands_upright(
    intake: Intake, turned: int, top: tuple[int, int, int]
) -> None:
    data = photographed(turned)
    assert PLACE in data
    for use in ("logo", "photograph"):
        made = await intake.take(data, use)
        assert b"Exif" not in made and PLACE not in made
        pixels = seen(made)
        assert like(pixels[5, pixels.shape[1] // 2], top)


async def test_an_upside_down_one_is_turned(intake: Intake) -> None:
    assert like(seen(await intake.take(photographed(3), "photograph"))[160, 40], BLUE)


async def test_what_hangs_on_is_gone(intake: Intake) -> None:
    for codec in ("png", "mjpeg", "webp"):
        assert SCRIPT not in await intake.take(picture(codec) + SCRIPT, "logo")
    text = chunk(b"tEXt", b"Comment\0" + SCRIPT)
    plain = picture("png")
    assert SCRIPT not in await intake.take(plain[:33] + text + plain[33:], "logo")


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"GIF89a" + bytes(100), SVG, b"%PDF-1.7", b"MZ" + bytes(100), b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"),
        *(b"\xff\xd8\xff\xda" + bytes(100), b"RIFF\0\0\0\0WEBP", b"RIFF\0\0\0\0WEBPVP8 " + bytes(40)),
        *(picture("png")[:200], picture("mjpeg")[:400], picture("webp")[:100]),
        SVG + picture("png"),
        huge(0),
    ],
)
async def test_what_is_no_whole_picture_is_refused(intake: Intake, data: bytes) -> None:
    assert await refused(intake, data) == "picture_unreadable"


async def test_too_many_pixels_are_refused_undecoded(clamd: Clamd, monkeypatch: pytest.MonkeyPatch) -> None:
    intake = Intake(UploadSettings(scanner=clamd.socket))

    async def never(*_: object) -> bytes:
        raise AssertionError("it was decoded")

    monkeypatch.setattr(intake._encoding, "anew", never)
    assert len(huge()) < 200
    assert await refused(intake, huge()) == "picture_pixels"
    assert await refused(intake, huge(6_000)) == "picture_pixels", "neither side alone is too long"
    jpeg = b"\xff\xd8\xff\xc0\x00\x11\x08" + (30_000).to_bytes(2, "big") * 2 + bytes(20)
    assert await refused(intake, jpeg) == "picture_pixels"
    webp = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + (29_999).to_bytes(3, "little") * 2 + bytes(20)
    assert await refused(intake, webp) == "picture_pixels"


async def test_a_file_that_lies_about_its_size_is_refused_in_the_child(intake: Intake) -> None:
    """A second frame header further on, which says more than the first one does."""
    small, large = picture("mjpeg", 40, 20), picture("mjpeg", 4000, 2000)
    assert await refused(intake, small[:2] + large[2:4] + small[4:40] + large) == "picture_unreadable"


async def test_too_many_bytes_are_refused(clamd: Clamd) -> None:
    intake = Intake(UploadSettings(scanner=clamd.socket, most_bytes=10_000))
    assert await refused(intake, picture() + bytes(10_000)) == "too_large"


@pytest.mark.duty("S-53")
async def test_what_the_scanner_finds_is_refused(intake: Intake) -> None:
    assert await refused(intake, picture() + FOUND) == "file_infected"


@pytest.mark.duty("S-53")
async def test_without_a_scanner_or_its_signatures_nothing_is_taken(
    unlisted: Clamd, clamd: Clamd, tmp_path: Path
) -> None:
    for socket in (None, tmp_path / "nobody", unlisted.socket):
        intake = Intake(UploadSettings(scanner=socket))
        assert await refused(intake, picture()) == "scanner_missing"
    signatures = await Scanner(clamd.socket).signatures()
    assert (signatures.number, abs(signatures.made - clamd.made) < timedelta(seconds=2)) == (NUMBER, True)


# --- what comes back -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "program",
    [
        "sys.stdout.buffer.write(data)",
        "sys.stdout.buffer.write(png.ljust(400_001))",
        "sys.stdout.buffer.write(b'no picture')",
        "",
        "sys.stdout.buffer.write(png)\nsys.exit(1)",
    ],
)
async def test_what_the_encoder_gives_back_is_believed_as_far_as_it_can_be(
    intake: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    (tmp_path / "png").write_bytes(picture("png", 30, 30))
    head = f"import sys\ndata, png = sys.stdin.buffer.read(), open({str(tmp_path / 'png')!r}, 'rb').read()\n"
    monkeypatch.setattr("practice.pictures.encoding.PROGRAM", tmp_path / "encoder.py")
    (tmp_path / "encoder.py").write_text(head + "sys.stdout.buffer.write(png.ljust(400_000))")
    assert said(await intake.take(picture("mjpeg"), "logo")).width == 30
    (tmp_path / "encoder.py").write_text(head + program)
    assert await refused(intake, picture("mjpeg")) == "picture_unreadable"


async def test_one_that_takes_too_long_is_ended(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    started, real = [], asyncio.create_subprocess_exec

    async def starting(*command: Any, **how: Any) -> asyncio.subprocess.Process:
        started.append(await real(*command, **how))
        return started[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", starting)
    monkeypatch.setattr("practice.pictures.encoding.SECONDS", 0)
    assert await refused(intake, picture()) == "picture_unreadable"
    assert [one.returncode for one in started] == [-signal.SIGKILL]


VERSION = "ClamAV 1.0.7/27000/Mon Nov 30 08:00:00 2026"


@pytest.mark.parametrize(
    ("version", "judged", "code"),
    [
        (VERSION, "stream: OK", None),
        (VERSION, "stream: Eicar-Test FOUND", "file_infected"),
        (VERSION, "INSTREAM size limit exceeded. ERROR", "scanner_missing"),
        (VERSION, "", "scanner_missing"),
        ("ClamAV 1.0.7", "stream: OK", "scanner_missing"),
        ("ClamAV 1.0.7/27000/yesterday", "stream: OK", "scanner_missing"),
        (f"x{VERSION}", "stream: OK", "scanner_missing"),
    ],
)
async def test_only_a_plain_answer_of_a_scanner_with_a_list_lets_a_file_through(
    tmp_path: Path, version: str, judged: str, code: str | None
) -> None:
    """Data goes in parts, each behind its length, and ends with a part of none."""
    data, heard = bytes(range(256)) * 513, []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        command = await reader.readuntil(b"\0")
        if command == b"zINSTREAM\0":
            while length := int.from_bytes(await reader.readexactly(4), "big"):
                heard.append(await reader.readexactly(length))
        writer.write((judged if command == b"zINSTREAM\0" else version).encode() + b"\0")
        await writer.drain()
        writer.close()

    async with await asyncio.start_unix_server(answer, tmp_path / "clamd"):
        try:
            await Scanner(tmp_path / "clamd").demand_clean(data)
        except DomainError as error:
            assert error.code == code
        else:
            assert code is None
            assert b"".join(heard) == data and {len(one) for one in heard[:-1]} == {65_536}
