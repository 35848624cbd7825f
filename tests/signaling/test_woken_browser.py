"""Web push in a real browser: turned on in the preferences, woken while the desk is not in view, and neutral.

Chromium's own push service is a third party and is not asked: what it would answer to *subscribe* is made up, and the
browser's debugger hands the message to the worker, as the service would.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page, expect

from signaling.sessions import PLAIN
from tests.chromium import chromium
from tests.client.waiting import until
from tests.opening import of
from tests.servers.push import PushService
from tests.signaling.conftest import Server
from tests.signaling.test_pushing import Waiting, server_practice, service

__all__ = ["server_practice", "service"]

MADE_UP = """
(() => {
  const endpoint = 'ENDPOINT';
  const kept = () => JSON.parse(sessionStorage.getItem('key') ?? 'null');
  const one = () => kept() && {
    endpoint,
    options: { applicationServerKey: Uint8Array.from(kept()).buffer },
    unsubscribe: async () => { sessionStorage.removeItem('key'); return true; },
  };
  PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
    sessionStorage.setItem('key', JSON.stringify([...applicationServerKey]));
    return one();
  };
  PushManager.prototype.getSubscription = async () => one();
})();
"""
SHOWN = """
async () => {
  const found = await (await navigator.serviceWorker.getRegistration('/desk')).getNotifications();
  return found.map((one) => [one.title, one.body]);
}
"""
ACTIVE = "async () => (await navigator.serviceWorker.getRegistration('/desk'))?.active?.state === 'activated'"


@asynccontextmanager
async def desk(server: Server, service: PushService) -> AsyncIterator[Page]:
    """Alice's, with a worker that runs."""
    async with chromium() as browser:
        yield await sit_at(await browser.new_context(locale="nl-NL"), server, service)


async def sit_at(context: BrowserContext, server: Server, service: PushService) -> Page:
    """Alice's desk in a browser of hers."""
    service.now = server.time.now()
    await server.sign_in("alice")
    session = next(one for one in server.jars["alice"] if one.key == PLAIN)
    await context.grant_permissions(["notifications"])
    await context.add_init_script(MADE_UP.replace("ENDPOINT", service.endpoint()))
    await context.add_cookies([{"name": PLAIN, "value": session.value, "url": server.origin}])
    page = await context.new_page()
    await page.goto(f"{server.origin}/desk")
    await page.get_by_test_id("new-appointment").wait_for()
    await page.wait_for_function(ACTIVE)
    return page


async def turn(page: Page, words: str) -> None:
    await page.get_by_test_id("account").click()
    button = page.get_by_test_id("push-button")
    await expect(button).to_have_text(words)
    await button.click()


async def deliver(page: Page, server: Server) -> None:
    """What the browser does when its push service wakes it."""
    found: list[Any] = []
    session = await page.context.new_cdp_session(page)
    session.on("ServiceWorker.workerRegistrationUpdated", lambda event: found.extend(event["registrations"]))
    await session.send("ServiceWorker.enable")
    await until(lambda: None if found else "no worker")
    number = found[0]["registrationId"]
    await session.send(
        "ServiceWorker.deliverPushMessage", {"origin": server.origin, "registrationId": number, "data": ""}
    )


def told(server: Server, service: PushService) -> Callable[[], Any]:
    async def found() -> bool:
        return [one.endpoint for one in await server.store.push_subscriptions.of(of(server.alice.id))] == [
            service.endpoint()
        ]

    return found


@pytest.mark.browser
async def test_a_practitioner_turns_it_on_and_off_and_reads_that_somebody_waits(
    server: Server, service: PushService
) -> None:
    async with desk(server, service) as page:
        await turn(page, "Meldingen aanzetten")
        await expect(page.get_by_test_id("push")).to_contain_text("krijgt een melding als er iemand wacht")
        assert await told(server, service)()
        await page.reload()
        await page.get_by_test_id("new-appointment").wait_for()
        assert await told(server, service)(), "its desk is open again"

        patient = Waiting(server, (await server.appoint(server.alice, patient="Charlie")).id)
        await patient.comes()
        await until(lambda: None if len(service.woken) == 1 else f"{service.wrong}")
        await deliver(page, server)
        await page.wait_for_timeout(500)
        assert await page.evaluate(SHOWN) == [], "who looks at the desk sees it there"
        other = await page.context.new_page()
        await other.goto(f"{server.origin}/signin")
        await page.goto(f"{server.origin}/privacy")
        await deliver(page, server)
        await page.wait_for_function(f"async () => (await ({SHOWN})()).length === 1")
        assert await page.evaluate(SHOWN) == [["Er wacht iemand", ""]]

        await page.goto(f"{server.origin}/desk")
        await page.get_by_test_id("new-appointment").wait_for()
        await turn(page, "Meldingen uitzetten")
        await expect(page.get_by_test_id("push")).to_contain_text("krijgt geen meldingen")
        assert not await told(server, service)()


@pytest.mark.browser
async def test_signing_out_ends_it_in_the_browser_and_on_the_server(server: Server, service: PushService) -> None:
    async with desk(server, service) as page:
        await turn(page, "Meldingen aanzetten")
        await expect(page.get_by_test_id("push")).to_contain_text("krijgt een melding")
        await page.keyboard.press("Escape")
        await page.get_by_test_id("sign-out").click()
        await page.wait_for_url("**/signin")
        assert not await told(server, service)()
        assert await page.evaluate("sessionStorage.getItem('key')") is None


@pytest.mark.browser
async def test_what_another_turned_on_is_taken_back_when_somebody_else_signs_in(
    server: Server, service: PushService
) -> None:
    async with desk(server, service) as page:
        await turn(page, "Meldingen aanzetten")
        await expect(page.get_by_test_id("push")).to_contain_text("krijgt een melding")
        await server.sign_in("bob")
        session = next(one for one in server.jars["bob"] if one.key == PLAIN)
        await page.context.add_cookies([{"name": PLAIN, "value": session.value, "url": server.origin}])
        await page.goto(f"{server.origin}/desk")
        await page.wait_for_function("() => sessionStorage.getItem('key') === null")
