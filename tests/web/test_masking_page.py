"""A picture of a paper is made black in the browser: by keys alone, on a narrow page, and only the new one leaves."""

import asyncio
import base64
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page

from practice.pictures.intake import Intake
from practice.requests.model import Filing
from practice.settings import UploadSettings
from signaling.typedefs import INTAKE
from tests.chromium import chromium
from tests.organisations import OPERATOR, PRACTICE
from tests.papers import file, paper
from tests.pictures import PLACE, huge, photographed
from tests.servers.clamd import Clamd
from tests.signaling.conftest import *  # noqa: F403 -- pytest finds fixtures by their names here
from tests.signaling.conftest import Server
from tests.web.firefox import firefox
from vault.records.scope import SERVER

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
pytestmark = pytest.mark.browser

BOXES = ("photo", "mrz", "document", "citizen")


class Recording(Intake):
    """With what came, as it came."""

    def __init__(self, settings: UploadSettings) -> None:
        super().__init__(settings)
        self.came: list[bytes] = []

    async def take_masked(self, data: bytes, typed: str) -> bytes:
        self.came.append(data)
        return await super().take_masked(data, typed)


@pytest.fixture(autouse=True)
def intake(server: Server, clamd: Clamd) -> Iterator[Recording]:
    before = server.app[INTAKE]
    server.app._state[INTAKE] = made = Recording(UploadSettings(scanner=clamd.socket))
    yield made
    server.app._state[INTAKE] = before


async def address(server: Server) -> str:
    await server.store.organisation.establish(OPERATOR, PRACTICE)
    filed = await server.store.requests.file(SERVER, Filing("access", "form", "nl", "What?", mail="jan@example.net"))
    await server.store.requests.confirm(filed.token)
    return f"{server.origin}/identity/{filed.token}"


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with chromium() as browser:
        context = await browser.new_context(viewport={"width": 390, "height": 844}, locale="nl-NL")
        page = await context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        yield page
        assert problems == []


def picture(tmp_path: Path, name: str, data: bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


@pytest.mark.duty("S-48")
async def test_by_keys_alone_on_a_narrow_page_and_the_chosen_file_leaves_by_no_way(
    server: Server, page: Page, intake: Recording, tmp_path: Path
) -> None:
    drawn = paper()
    chosen = await asyncio.to_thread(picture, tmp_path, "passport.png", file(drawn.pixels))
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.method))
    await page.goto(await address(server))
    await page.get_by_test_id("choose-paper").set_input_files(chosen)
    await page.locator("[data-box=photo]:focus").wait_for()
    assert await page.evaluate("document.documentElement.scrollWidth <= 390")
    height, width = drawn.pixels.shape[:2]
    for name, place in zip(BOXES, drawn.places, strict=True):
        box = page.locator(f"[data-box={name}]")
        await box.focus()
        wanted = (place.x / width, place.y / height, place.width / width, place.height / height)
        await steer(page, name, wanted)
        await page.keyboard.press("Tab")
    await page.locator("[name=covered]").focus()
    await page.keyboard.press("Space")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**?done=paper-sent")
    (came,) = intake.came
    assert came[:3] == b"\xff\xd8\xff", "a new picture, and not the PNG that was chosen"
    assert posted.count("POST") == 1


async def steer(page: Page, name: str, wanted: tuple[float, float, float, float]) -> None:
    """By arrows, with Shift for the size and with Ctrl in fine steps, until the box covers the place."""
    read = f"""(() => {{ const s = document.querySelector('[data-box={name}]').style;
        return [s.left, s.top, s.width, s.height].map((one) => parseFloat(one) / 100); }})()"""
    for axis, (less, more) in ((0, ("ArrowLeft", "ArrowRight")), (1, ("ArrowUp", "ArrowDown"))):
        for shift, offset in (("Shift+", 2), ("", 0)):
            for step, keys in ((0.01, shift), (0.0025, f"Control+{shift}")):
                for _ in range(150):
                    at = (await page.evaluate(read))[axis + offset]
                    away = wanted[axis + offset] - at
                    if abs(away) < step:
                        break
                    await page.keyboard.press(f"{keys}{more if away > 0 else less}")


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.pdf", b"%PDF-1.7\n" + bytes(200), "Een PDF kan hier niet"),
        ("a.heic", b"\x00\x00\x00\x18ftypheic" + bytes(200), "Een HEIC-foto kan hier niet"),
        ("a.jpg", b"no picture at all", "geen JPEG, PNG of WebP"),
        ("bomb.png", b"", "te veel beeldpunten"),
        ("large.jpg", b"\xff\xd8\xff" + bytes(50_000_001), "groter dan 50 MB"),
    ],
)
async def test_what_cannot_be_masked_is_refused_before_anything_is_sent(
    server: Server, page: Page, tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    chosen = await asyncio.to_thread(picture, tmp_path, name, data or huge())
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.method))
    await page.goto(await address(server))
    await page.get_by_test_id("choose-paper").set_input_files(chosen)
    await page.get_by_test_id("refused").wait_for()
    assert said in (await page.get_by_test_id("refused").text_content() or "")
    assert not await page.get_by_test_id("send-paper").is_visible()
    assert "POST" not in posted


async def test_what_a_camera_wrote_beside_it_is_gone(
    server: Server, page: Page, intake: Recording, tmp_path: Path
) -> None:
    """A photograph that says where it was taken and lies on its side: the new one stands upright and says nothing."""
    chosen = await asyncio.to_thread(picture, tmp_path, "IMG_1.jpg", photographed())
    await page.goto(await address(server))
    await page.get_by_test_id("choose-paper").set_input_files(chosen)
    await page.get_by_test_id("send-paper").wait_for()
    assert await page.evaluate("(() => { const c = document.querySelector('canvas'); return c.height > c.width; })()")
    await page.locator("[name=covered]").check()
    await page.get_by_test_id("send-paper").click()
    await page.wait_for_url("**/send")
    (came,) = intake.came
    assert came[:3] == b"\xff\xd8\xff" and PLACE not in came and b"Exif" not in came


@pytest.mark.skipif(FIREFOX is None, reason="Firefox is not installed")
@pytest.mark.duty("S-48")
async def test_in_firefox_too(server: Server, tmp_path: Path) -> None:
    """The file is chosen by a script, as WebDriver BiDi does it nowhere yet; the rest is the page's own."""
    drawn = paper()
    data = base64.b64encode(file(drawn.pixels)).decode()
    height, width = drawn.pixels.shape[:2]
    places = {
        name: [place.x / width, place.y / height, place.width / width, place.height / height]
        for name, place in zip(BOXES, drawn.places, strict=True)
    }
    where = await address(server)
    async with firefox(str(FIREFOX), tmp_path) as browser:
        await browser.goto(where)
        await browser.evaluate(
            f"""(async () => {{
              const bytes = Uint8Array.from(atob('{data}'), (one) => one.charCodeAt(0));
              const carried = new DataTransfer();
              carried.items.add(new File([bytes], 'passport.png', {{ type: 'image/png' }}));
              const field = document.querySelector('[data-slot=choose]');
              field.files = carried.files;
              field.dispatchEvent(new Event('change'));
              const until = async (done) => {{ while (!done()) await new Promise((go) => setTimeout(go, 50)); }};
              await until(() => document.activeElement?.dataset.box === 'photo');
              const wanted = {json.dumps(places)};
              for (const [name, [x, y, width, height]] of Object.entries(wanted)) {{
                const box = document.querySelector(`[data-box=${{name}}]`);
                const press = (key, shiftKey) => box.dispatchEvent(
                  new KeyboardEvent('keydown', {{ key, shiftKey, ctrlKey: true, bubbles: true }}));
                const at = (side) => parseFloat(box.style[side]) / 100;
                for (const [side, goal, shift, less, more] of [
                  ['width', width, true, 'ArrowLeft', 'ArrowRight'], ['height', height, true, 'ArrowUp', 'ArrowDown'],
                  ['left', x, false, 'ArrowLeft', 'ArrowRight'], ['top', y, false, 'ArrowUp', 'ArrowDown'],
                ]) {{
                  for (let tries = 0; tries < 500 && Math.abs(goal - at(side)) >= 0.0025; tries++)
                    press(goal > at(side) ? more : less, shift);
                }}
              }}
              document.querySelector('[name=covered]').checked = true;
              document.querySelector('[data-testid=send-paper]').click();
            }})()"""
        )
        for _ in range(200):
            if await browser.evaluate("location.search") == "?done=paper-sent":
                break
            await asyncio.sleep(0.1)
        else:
            raise AssertionError(await browser.evaluate("document.body.innerText"))
