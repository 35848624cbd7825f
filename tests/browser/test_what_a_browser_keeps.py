"""Nothing is captured before a click, nobody else is contacted, and only declared things stay behind."""

from functools import partial

import pytest

from tests.browser.conftest import Demo, Person, begin_consult, eventually
from web.storage import KEPT

STORED = """
async () => ({
  localStorage: Object.keys(localStorage),
  sessionStorage: Object.keys(sessionStorage),
  databases: (await indexedDB.databases()).map((one) => one.name),
  caches: await caches.keys(),
  workers: (await navigator.serviceWorker.getRegistrations()).map((one) => new URL(one.active.scriptURL).pathname),
})
"""

WATCH_CAPTURE = """
(() => {
  window.captured = 0;
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (constraints) => { window.captured += 1; return ask(constraints); };
})();
"""


async def kept(person: Person) -> dict[str, set[str]]:
    stored = await person.page.evaluate(STORED)
    assert stored["databases"] == []
    cookies = {cookie["name"] for cookie in await person.context.cookies()}
    return {
        "cookie": cookies,
        "localStorage": set(stored["localStorage"]),
        "sessionStorage": set(stored["sessionStorage"]),
        "worker": set(stored["workers"]),
        "cache": set(stored["caches"]),
    }


@pytest.mark.duty("S-35", "S-37", "S-39")
async def test_only_declared_things_stay_in_a_browser(practitioner: Person, patient: Person) -> None:
    assert set().union(*(await kept(patient)).values()) == set()
    await begin_consult(practitioner, patient)
    await patient.find("more").click()
    await patient.find("choose-microphone").locator("visible=true").select_option(index=1)
    declared = {(entry.kind, name) for entry in KEPT for name in (entry.name, entry.plain)}
    for person, cookies in ((practitioner, {"sid"}), (patient, set())):
        found = await kept(person)
        assert found["cookie"] == cookies
        assert bool(found["worker"]) == bool(found["cache"]) == (person is practitioner)
        assert {(kind, name) for kind, names in found.items() for name in names} <= declared

    async def chosen() -> bool:
        return (await kept(patient))["localStorage"] == {"av"}

    await eventually(chosen, "the microphone that was chosen is kept")
    await practitioner.find("leave").click()
    await patient.call_state("ended")
    for person in (practitioner, patient):
        assert (await kept(person))["sessionStorage"] == set()
        assert person.problems == [], "no request to another host"


@pytest.mark.duty("S-20")
async def test_nothing_is_captured_before_a_click(demo: Demo, practitioner: Person, patient: Person) -> None:
    for person in (practitioner, patient):
        await person.context.add_init_script(WATCH_CAPTURE)
        await person.page.reload()
    await patient.find("join").wait_for()
    await practitioner.find("new-appointment").wait_for()
    await patient.page.wait_for_timeout(1500)
    for person in (practitioner, patient):
        assert await person.page.evaluate("window.captured") == 0
    await patient.find("join").click()
    await patient.find("waiting").wait_for()
    assert await patient.page.evaluate("window.captured") == 1


@pytest.mark.duty("S-20")
async def test_after_the_end_camera_and_microphone_are_closed(practitioner: Person, patient: Person) -> None:
    await begin_consult(practitioner, patient)
    live = """() => {
      const preview = document.querySelector('device-preview');
      const capture = preview ? preview.capture : document.querySelector('consult-call').capture;
      return [capture.microphone, capture.camera].filter((track) => track && track.readyState === 'live').length;
    }"""
    assert await patient.page.evaluate(live) == 2
    assert await practitioner.page.evaluate(live) == 2
    await practitioner.find("leave").click()
    await patient.call_state("ended")
    for person in (practitioner, patient):
        await eventually(partial(closed, person, live), "both devices are closed")


async def closed(person: Person, live: str) -> bool:
    return int(await person.page.evaluate(live)) == 0


@pytest.mark.duty("S-40")
async def test_blocked_cookies_are_named_and_do_not_go_round_in_circles(demo: Demo, patient: Person) -> None:
    page = await patient.context.new_page()
    await page.route(
        "**/api/v1/me",
        lambda route: route.fulfill(
            status=401,
            content_type="application/json",
            body='{"error": {"code": "unauthenticated", "category": "protocol", "message": "Sign in."}}',
        ),
    )
    await page.goto(demo.practitioner_url)
    await page.get_by_role("alert").filter(has_text="cookies").wait_for()
    assert "/signin" in page.url
    await page.close()


@pytest.mark.duty("S-40")
async def test_without_scripts_each_page_says_what_it_needs(demo: Demo, patient: Person) -> None:
    browser = patient.context.browser
    assert browser is not None
    context = await browser.new_context(java_script_enabled=False, locale="nl-NL")
    page = await context.new_page()
    for path in ("/c", "/desk", "/signin"):
        await page.goto(f"http://localhost:{demo.port}{path}")
        assert "JavaScript" in await page.locator("main").inner_text()
    await context.close()
