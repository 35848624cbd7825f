"""Pictures of every page and state, from a running demo: ``python -m tests.browser.screenshots [FOLDER [LANGUAGE]]``.

``python -m tests.browser.screenshots --documents`` makes the two of ``docs/images`` instead.
"""

import asyncio
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Browser, BrowserContext, Page

from tests.browser import faces
from tests.browser.conftest import Demo, letter_to, start_demo
from tests.browser.formpages import FORM_PAGES
from tests.browser.group_pictures import DOCUMENT, group_pictures
from tests.chromium import chromium
from web.forms import Page as FormPage

SIZES = {"390": (390, 844), "1440": (1440, 900)}
MORE_SIZES = {"360": (360, 740), "768": (768, 1024), "1920": (1920, 1080)}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LOCALES = {"nl": "nl-NL", "en": "en-GB", "de": "de-DE", "fr": "fr-FR"}
DOCUMENTS = Path(__file__).parents[2] / "docs" / "images"
SETTLE_MS = 350

PEOPLE = [
    ("Mevrouw Jansen", -150, 20),
    ("K.", -60, 10),
    ("Jan-Willem van der Meulen-Oudekerk tot Lichtenvoorde en Groenlo", 30, 45),
    ("محمد عبد الرحمن", 75, 20),
    ("Blauwe vlinder", 120, 30),
    ("O'Brien <script>", 150, 15),
]

INVITED = ("f.el.amrani@praktijk-in-een-heel-lange-straat.example", "fatima@example.org")

PLAN = """
async ([patient, starts_at, minutes]) => {
  const body = JSON.stringify({patient, starts_at, minutes, language: 'nl', anyway: true});
  const headers = {'Content-Type': 'application/json'};
  const answer = await fetch('/api/v1/appointments', {method: 'POST', body, headers});
  return (await answer.json()).link;
}
"""
REFUSE = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); };"
NO_CAMERA = """
(() => {
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wish) =>
    wish.video ? Promise.reject(new DOMException('', 'NotFoundError')) : ask(wish);
})();
"""
OUTDATED = "delete window.RTCRtpScriptTransform;"


def name_of(page: FormPage) -> str:
    """Of its pictures."""
    return page.path.strip("/").replace("{account}", "somebody").replace("/", "-")


class Album:
    """Takes one state in all sizes and both schemes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.taken = 0

    async def take(
        self, page: Page, name: str, *, whole: bool = True, sizes: dict[str, tuple[int, int]] = SIZES
    ) -> None:
        for size, (width, height) in sizes.items():
            await page.set_viewport_size({"width": width, "height": height})
            for scheme in SCHEMES:
                await page.emulate_media(color_scheme=scheme)
                await self._save(page, f"{name}-{size}-{scheme}", whole)
        await page.emulate_media(color_scheme="light")

    async def take_special(self, page: Page, name: str) -> None:
        """In every other width, at 200 % zoom, in forced colours."""
        await self.take(page, name, sizes=MORE_SIZES)
        await page.set_viewport_size({"width": 720, "height": 450})
        await self._save(page, f"{name}-zoom200", True)
        await page.set_viewport_size({"width": 1440, "height": 900})
        await page.emulate_media(forced_colors="active")
        await self._save(page, f"{name}-forced-colours", True)
        await page.emulate_media(forced_colors="none")

    async def _save(self, page: Page, name: str, whole: bool) -> None:
        await page.wait_for_timeout(SETTLE_MS)
        await page.screenshot(path=self.folder / f"{name}.png", full_page=whole)
        self.taken += 1


class Studio:
    """A demo, its practitioner, and as many patients as needed."""

    def __init__(self, browsers: tuple[Browser, Browser], demo: Demo, album: Album, language: str) -> None:
        """``browsers``: the practitioner's, and the patients', each with a face before its camera."""
        self.browsers, self.demo, self.album, self.language = browsers, demo, album, language
        self.origin = f"http://localhost:{demo.port}"

    async def page(self, url: str = "", script: str = "", **options: Any) -> Page:
        context: BrowserContext = await self.browsers[url != self.demo.practitioner_url].new_context(
            locale=LOCALES[self.language],
            timezone_id="Europe/Amsterdam",
            **options,
        )
        if script:
            await context.add_init_script(script)
        page = await context.new_page()
        await page.set_viewport_size({"width": 1440, "height": 900})
        if url:
            await page.goto(url)
        return page

    async def plain_pages(self) -> None:
        page = await self.page()
        public = {name_of(one): one.path for one in FORM_PAGES if one.public}
        plain = {"home": "/", "signin": "/signin", "privacy": "/privacy", "lost": "/nowhere"}
        for name, path in (plain | public).items():
            await page.goto(self.origin + path)
            await self.album.take(page, name)
        await page.goto(f"{self.origin}/signin")
        await page.get_by_test_id("mail").fill("a@b.example")
        await page.get_by_test_id("password").fill("wrong")
        await page.get_by_test_id("sign-in").click()
        await page.get_by_role("alert").wait_for()
        await self.album.take(page, "signin-refused")
        await page.context.close()

    async def desk(self) -> tuple[Page, str]:
        """The desk from one appointment to many; returns it with the link of an appointment that is early."""
        page = await self.page(self.demo.practitioner_url)
        await page.get_by_test_id("more-of-appointment").wait_for()
        await self.album.take(page, "desk-one")
        await page.locator("[data-action=next]").click()
        await page.locator("[data-slot=day-empty]").wait_for()
        await self.album.take(page, "desk-empty")
        await page.locator("[data-action=today]").click()
        now = datetime.now().astimezone().replace(second=0, microsecond=0)
        for name, minutes, length in (*PEOPLE, ("Morgen", 24 * 60, 20)):
            early = await page.evaluate(PLAN, [name, (now + timedelta(minutes=minutes)).isoformat(), length])
        await page.reload()
        await page.get_by_text("Blauwe vlinder").wait_for()
        await self.album.take(page, "desk-many")
        await self.album.take_special(page, "desk-many")
        for view in ("week", "list", "day"):
            await page.locator(f"[data-show={view}]").click()
            await self.album.take(page, f"desk-{view}")
        await self._dialogs(page)
        await self.people()
        await self.form_pages()
        return page, early

    async def form_pages(self) -> None:
        """Those of who is signed in, an owner, twice; and what a mistake looks like."""
        await (await self.page(self.demo.practitioner_url)).get_by_test_id("new-appointment").wait_for()
        page = await self.page(self.demo.practitioner_url)
        await page.get_by_test_id("new-appointment").wait_for()
        await page.goto(f"{self.origin}/practice/people")
        somebody = str(await page.get_by_test_id("people").locator("a").last.get_attribute("href"))
        for one in (page for page in FORM_PAGES if not page.public):
            await page.goto(self.origin + one.path.replace("/practice/people/{account}", somebody))
            await self.album.take(page, name_of(one))
            if await (button := page.locator("main form[method=post] button:visible")).count():
                await button.first.click()
                await self.album.take(page, f"{name_of(one)}-sent")
        await page.context.close()

    async def people(self) -> None:
        """Who works here, one who is invited, and what that one sees."""
        page = await self.page(self.demo.practitioner_url)
        await page.get_by_test_id("new-appointment").wait_for()
        await page.goto(f"{self.origin}/practice/people")
        for mail in INVITED:
            await page.locator("input[name=mail]").fill(mail)
            await page.get_by_test_id("invite").click()
            await page.get_by_role("status").wait_for()
            await page.goto(f"{self.origin}/practice/people")
        await self.album.take(page, "people-invited")
        await page.locator("input[name=mail]").fill(INVITED[0])
        await page.get_by_test_id("invite").click()
        await self.album.take(page, "people-invited-twice")
        sent = await letter_to(other := await self.page(), self.demo, INVITED[0])
        await self.album.take(other, "post")
        await sent.get_by_role("link").first.click()
        await self.album.take(other, "invited")
        await other.get_by_test_id("accept").click()
        await self.album.take(other, "invited-mistake")
        await other.locator("input[name=display_name]").fill("Fatima El Amrani")
        await other.locator("input[name=password]").fill("vier losse woorden samen")
        await other.get_by_test_id("accept").click()
        await self.album.take(other, "invited-done")
        await other.context.close()
        await page.context.close()

    async def _dialogs(self, page: Page) -> None:
        for name, button in (("new", "new-appointment"), ("retention", "retention"), ("account", "account")):
            await page.get_by_test_id(button).click()
            await self.album.take(page, f"desk-{name}", whole=False)
            await page.keyboard.press("Escape")
        await page.get_by_test_id("more-of-appointment").first.click()
        await self.album.take(page, "desk-more")
        await page.get_by_test_id("delete-appointment").first.click()
        await self.album.take(page, "desk-delete", whole=False)
        await page.keyboard.press("Escape")
        await page.get_by_test_id("new-appointment").click()
        await page.get_by_test_id("create-appointment").click()
        await self.album.take(page, "desk-new-mistake", whole=False)
        await page.get_by_test_id("patient-name").fill("Nachtvlinder")
        await page.get_by_test_id("create-appointment").click()
        await page.get_by_test_id("patient-link").wait_for()
        await self.album.take(page, "desk-new-link", whole=False)
        await page.keyboard.press("Escape")

    async def arrivals(self, early: str) -> None:
        """Everything a patient can meet before the waiting room."""
        link = self.demo.patient_url
        in_app = (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Instagram 300.0"
        )
        for name, url, script, options in (
            ("check", link, "", {}),
            ("link-invalid", f"{self.origin}/c#{'x' * 44}", "", {}),
            ("early", early, "", {}),
            ("outdated", link, OUTDATED, {}),
            ("in-app", link, "", {"user_agent": in_app}),
        ):
            page = await self.page(url, script, **options)
            await page.locator("h1:visible").wait_for()
            await self.album.take(page, name)
            if name == "check":
                await self.album.take_special(page, name)
                await page.get_by_test_id("test-devices").click()
                await page.get_by_test_id("preview-video").wait_for()
                await self.album.take(page, "check-tested")
            await page.context.close()
        page = await self.page()
        await page.route("**/api/v1/join", lambda route: route.abort())
        await page.goto(link)
        await page.locator("h1:visible").wait_for()
        await self.album.take(page, "offline")
        await page.context.close()

    async def problems(self, desk: Page) -> None:
        """A waiting patient without devices."""
        for name, script in (("denied", REFUSE), ("no-camera", NO_CAMERA)):
            page = await self.page(self.demo.patient_url, script)
            await page.get_by_test_id("join").click()
            await page.get_by_test_id("waiting").wait_for()
            await self.album.take(page, f"wait-{name}")
            await page.locator("[data-action=stop-waiting]").click()
            await page.locator("[data-testid=call][data-state=ended]").wait_for()
            await page.context.close()

    async def consult(self, desk: Page) -> None:
        """Wait, talk, goodbye, on both screens."""
        patient = await self.page(self.demo.patient_url)
        await patient.get_by_test_id("join").click()
        await patient.get_by_test_id("waiting").wait_for()
        await desk.get_by_test_id("admit").wait_for()
        await self.album.take(desk, "desk-waiting")
        await desk.locator(".tell summary").click()
        await desk.locator(".tell-messages button").nth(1).click()
        await patient.get_by_test_id("hold-message").wait_for()
        await self.album.take(desk, "desk-told")
        await self.album.take(patient, "wait-told")
        second = await self.page(self.demo.patient_url)
        await second.get_by_test_id("join").click()
        await second.get_by_test_id("take-over").wait_for()
        await self.album.take(second, "seat-taken", whole=False)
        await second.context.close()
        await desk.get_by_test_id("admit").click()
        for page in (desk, patient):
            await page.locator("[data-testid=call][data-state=connected]").wait_for()
        await self._talk(desk, patient)
        await desk.get_by_test_id("leave").click()
        await patient.locator("[data-testid=call][data-state=ended]").wait_for()
        await self.album.take(patient, "goodbye")
        await self.album.take(desk, "desk-after")
        await patient.context.close()

    async def _talk(self, desk: Page, patient: Page) -> None:
        await desk.wait_for_timeout(1500)
        await self.album.take(patient, "talk", whole=False)
        await self.album.take(desk, "talk-desk", whole=False)
        await self.album.take_special(patient, "talk")
        await patient.locator("[data-action=trust]").click()
        await self.album.take(patient, "talk-code", whole=False)
        await patient.keyboard.press("Escape")
        await patient.get_by_test_id("more").click()
        await self.album.take(patient, "talk-devices", whole=False)
        await patient.keyboard.press("Escape")
        await desk.get_by_test_id("chat-input").fill("Goedemiddag, hoort u mij goed?")
        await desk.keyboard.press("Enter")
        await self.album.take(patient, "talk-message", whole=False)
        await patient.get_by_test_id("toggle-chat").click()
        await patient.get_by_test_id("chat-input").fill("Ja, heel goed. مرحبا")
        await patient.keyboard.press("Enter")
        await self.album.take(patient, "talk-chat", whole=False)
        await patient.get_by_test_id("toggle-chat").click()
        await desk.get_by_test_id("toggle-mic").click()
        await desk.get_by_test_id("toggle-camera").click()
        await self.album.take(patient, "talk-other-off", whole=False)
        await self.album.take(desk, "talk-own-off", whole=False)
        await desk.evaluate(DOCUMENT)
        await desk.get_by_test_id("toggle-camera").click()
        await desk.get_by_test_id("share-screen").click()
        await patient.get_by_test_id("remote-screen").wait_for()
        await patient.wait_for_timeout(1500)
        await self.album.take(patient, "talk-screen", whole=False)
        await desk.get_by_test_id("share-screen").click()
        self.demo.process.send_signal(signal.SIGSTOP)
        try:
            await patient.locator("[data-testid=call][data-state=reconnecting]").wait_for()
            await self.album.take(patient, "talk-reconnecting", whole=False)
        finally:
            self.demo.process.send_signal(signal.SIGCONT)
        for page in (desk, patient):
            await page.locator("[data-testid=call][data-state=connected]").wait_for()


@asynccontextmanager
async def opened(folder: Path, language: str) -> AsyncIterator[Studio]:
    async with AsyncExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        demo = await start_demo(data / "data")
        stack.push_async_callback(demo.stop)
        browsers: list[Browser] = []
        for face in (faces.PRACTITIONER, faces.PATIENT):
            film = data / f"{len(browsers)}.mjpeg"
            async with chromium() as artist:
                await faces.film(artist, face, film)
            browsers.append(await stack.enter_async_context(chromium(faces.camera(film))))
        yield Studio((browsers[0], browsers[1]), demo, Album(folder), language)


async def documents() -> None:
    """The desk with somebody waiting, and a consult, as README.md shows them."""
    async with opened(DOCUMENTS, "nl") as studio:
        desk = await studio.page(studio.demo.practitioner_url)
        await desk.get_by_test_id("more-of-appointment").wait_for()
        now = datetime.now().astimezone().replace(second=0, microsecond=0)
        for name, minutes, length in (("Mevrouw Jansen", -75, 20), ("Blauwe vlinder", 45, 30), ("K.", 90, 20)):
            await desk.evaluate(PLAN, [name, (now + timedelta(minutes=minutes)).isoformat(), length])
        await desk.reload()
        await desk.get_by_text("Blauwe vlinder").wait_for()
        patient = await studio.page(studio.demo.patient_url)
        await patient.get_by_test_id("join").click()
        await desk.get_by_test_id("admit").wait_for()
        await desk.wait_for_timeout(SETTLE_MS)
        await desk.screenshot(path=DOCUMENTS / "desk.png")
        await desk.set_viewport_size({"width": 1280, "height": 720})
        await desk.get_by_test_id("admit").click()
        await desk.locator("[data-testid=call][data-state=connected]").wait_for()
        await desk.wait_for_timeout(20_000)
        await desk.mouse.move(600, 300)
        await desk.wait_for_timeout(SETTLE_MS)
        await desk.screenshot(path=DOCUMENTS / "consult.png")


async def main(folder: Path, language: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    async with opened(folder, language) as studio:
        album = studio.album
        await studio.plain_pages()
        desk, early = await studio.desk()
        await studio.arrivals(early)
        await studio.problems(desk)
        await studio.consult(desk)
        await group_pictures(studio, desk)
    print(f"{album.taken} pictures in {folder}")


if __name__ == "__main__":
    if "--documents" in sys.argv:
        asyncio.run(documents())
    else:
        place, spoken, *_ = [*sys.argv[1:], *("var/screenshots", "nl")[len(sys.argv) - 1 :]]
        asyncio.run(main(Path(place), spoken))
