"""The desk as a program of its own: its service worker is on the desk alone, for as long as somebody is signed in."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import Demo, Person, eventually, sit_down
from tests.ports import free_port
from tests.web.conftest import application
from web.installed import OFFLINE
from web.settings import WebSettings

THERE = """
async () => ({
  scopes: (await navigator.serviceWorker.getRegistrations()).map((one) => new URL(one.scope).pathname),
  files: (await caches.has('desk-files'))
    ? (await (await caches.open('desk-files')).keys()).map((one) => new URL(one.url).pathname) : [],
  caches: await caches.keys(),
})
"""
NOTHING: dict[str, list[str]] = {"scopes": [], "files": [], "caches": []}
REGISTER = """
async () => {
  const one = await navigator.serviceWorker.register('/desk/worker.js?lang=de', { scope: '/desk' });
  const worker = one.installing ?? one.waiting ?? one.active;
  while (worker.state !== 'activated') {
    await new Promise((done) => worker.addEventListener('statechange', done, { once: true }));
  }
}
"""


@dataclass
class Pages:
    """A server of pages alone, at one port, that comes and goes."""

    port: int
    server: TestServer | None = None

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"

    async def begin(self, settings: WebSettings) -> None:
        self.server = TestServer(application(settings), host="localhost", port=self.port)
        await self.server.start_server()

    async def end(self) -> None:
        if self.server:
            await self.server.close()
            self.server = None


@asynccontextmanager
async def pages() -> AsyncIterator[Pages]:
    made = Pages(free_port())
    await made.begin(WebSettings())
    try:
        yield made
    finally:
        await made.end()


def gone(page: Page) -> Callable[[], Awaitable[bool]]:
    async def nothing() -> bool:
        return bool(await page.evaluate(THERE) == NOTHING)

    return nothing


async def registered(page: Page) -> dict[str, list[str]]:
    async def kept() -> dict[str, list[str]] | None:
        found: dict[str, list[str]] = await page.evaluate(THERE)
        return found if len(found["files"]) == len(OFFLINE) else None

    return await eventually(kept, "the worker and its files")


@pytest.mark.duty("S-37")
async def test_it_is_on_the_desk_alone_and_keeps_files_whose_address_is_their_hash(
    practitioner: Person, patient: Person
) -> None:
    found = await registered(practitioner.page)
    assert found["scopes"] == ["/desk"] and found["caches"] == ["desk-files"]
    version = found["files"][0].split("/")[2]
    assert sorted(found["files"]) == sorted(f"/static/{version}/{name}" for name in OFFLINE)
    assert len(version) == 16
    assert await patient.page.evaluate(THERE) == NOTHING
    assert await patient.page.locator('link[rel="manifest"]').count() == 0


async def test_signing_out_removes_it(demo: Demo, practitioner: Person) -> None:
    await registered(practitioner.page)
    await practitioner.find("sign-out").click()
    await practitioner.page.wait_for_url("**/signin")
    await eventually(gone(practitioner.page), "nothing is left")


async def test_so_does_signing_out_by_a_form(demo: Demo, practitioner: Person) -> None:
    page = practitioner.page
    await registered(page)
    await page.goto(f"{demo.origin}/account")
    await practitioner.find("sign-out").click()
    await page.wait_for_url("**/signin?done=signed-out")
    await expect(page.get_by_role("status").filter(has_text="U bent uitgelogd.")).to_be_visible()
    await eventually(gone(page), "nothing is left")


async def test_without_a_connection_the_desk_says_so_in_its_language(chromium: Browser) -> None:
    async with pages() as house:
        person = await sit_down(chromium, house.port)
        await person.page.goto(f"{house.origin}/signin")
        await person.page.evaluate(REGISTER)
        await house.end()
        await person.page.goto(f"{house.origin}/desk")
        await expect(person.find("offline")).to_contain_text("erreicht den Server gerade nicht")
        assert await person.page.evaluate("document.styleSheets[0].cssRules.length") > 20
        other = await person.context.new_page()  # what fails there would go on while this one goes elsewhere
        with pytest.raises(Exception, match="ERR_CONNECTION_REFUSED"):
            await other.goto(f"{house.origin}/signin")
        await house.begin(WebSettings())
        await person.page.goto(f"{house.origin}/desk")
        assert await person.find("offline").count() == 0


async def test_the_switch_removes_it_from_a_browser_that_has_it(chromium: Browser) -> None:
    async with pages() as house:
        person = await sit_down(chromium, house.port)
        await person.page.goto(f"{house.origin}/signin")
        await person.page.evaluate(REGISTER)
        assert (await registered(person.page))["scopes"] == ["/desk"]
        await house.end()
        await house.begin(WebSettings(installable=False))
        await person.page.goto(f"{house.origin}/desk")
        await person.page.goto(f"{house.origin}/signin")
        await eventually(gone(person.page), "it removed itself and its files")
