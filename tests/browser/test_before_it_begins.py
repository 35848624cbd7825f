"""A patient's link before the consult: with whom and when, into a calendar, and what is said of coming, which is typed.

A program that looks at links in mail, asking for them, running the page and pressing every button, changes nothing.
"""

from datetime import datetime, timedelta

import pytest
import pytest_asyncio
from icalendar import Calendar
from playwright.async_api import Browser, expect

from practice.agenda.model import Appointment, patient_link
from tests.browser.conftest import TIMED, Demo, Person, sit_down
from tests.browser.test_accessibility import judge
from tests.opening import of, open_store
from vault.settings import VaultSettings

pytestmark = pytest.mark.asyncio(loop_scope="session")

SCANS = 20 if TIMED else 4
PRESS_ALL = """
() => {
  for (const one of document.querySelectorAll('details')) one.open = true;
  for (const one of document.querySelectorAll('input, textarea')) {
    if (one.type === 'checkbox') one.checked = true; else one.value = 'https://scanner.example/';
  }
  const pressed = [...document.querySelectorAll('main button, main summary, main [role=button], main a[href^="#"]')];
  for (const one of pressed) one.click();
  for (const one of document.querySelectorAll('main form')) one.requestSubmit();
  return pressed.length;
}
"""


async def plan(demo: Demo, away: timedelta) -> Appointment:
    settings, now = VaultSettings(data=demo.data, trust_clock=True), datetime.now().astimezone()
    async with open_store(settings, exclusive=False) as store:
        person = await store.practitioners.add(f"{now.timestamp()}@example.org", "four loose words", "Dokter Zon", "nl")
        begins = (now + away).replace(microsecond=0)
        return await store.appointments.create(of(person.id), "Patiënt", begins, 30, "nl")


async def again(demo: Demo, one: Appointment) -> Appointment:
    async with open_store(VaultSettings(data=demo.data, trust_clock=True), exclusive=False) as store:
        return await store.appointments.get(of(one.owner), one.id)


@pytest_asyncio.fixture(loop_scope="session")
async def reader(chromium: Browser, demo: Demo) -> Person:
    return await sit_down(chromium, demo.port)


async def test_a_day_before_it_says_with_whom_and_takes_what_is_typed(demo: Demo, reader: Person) -> None:
    one, page = await plan(demo, timedelta(days=2)), reader.page
    await page.goto(patient_link(demo.origin, one))
    await page.get_by_text("Uw afspraak met Dokter Zon is").wait_for()
    async with page.expect_download() as download:
        await reader.find("add-to-calendar").click()
    (event,) = Calendar.from_ical((await (await download.value).path()).read_text()).walk("VEVENT")
    assert (event.decoded("dtstart"), str(event["url"])) == (one.starts_at, patient_link(demo.origin, one))

    await reader.find("wish").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.type("nee")
    await page.keyboard.press("Enter")
    await page.get_by_text("Er staat niet afzeggen of verzetten").wait_for()
    assert (await again(demo, one)).wish is None
    await judge(page, "before it begins")
    await page.keyboard.press("Control+A")
    await page.keyboard.type("Afzeggen")
    await page.keyboard.press("Enter")
    await expect(reader.find("wish-said")).to_contain_text("U hebt doorgegeven dat u niet kunt komen")
    assert (await again(demo, one)).wish == "cancel"
    await page.reload()
    await expect(reader.find("wish-said")).to_be_visible()
    await reader.context.close()


async def test_whoever_comes_too_late_is_told_for_what(demo: Demo, reader: Person) -> None:
    one = await plan(demo, timedelta(hours=-5))
    await reader.page.goto(patient_link(demo.origin, one))
    await reader.page.get_by_text("De afspraak met Dokter Zon was").wait_for()
    await expect(reader.find("planned")).to_be_hidden()
    await reader.context.close()


async def test_a_program_that_presses_everything_changes_nothing(demo: Demo, reader: Person) -> None:
    for number in range(SCANS):
        one = await plan(demo, timedelta(days=1) if number % 2 else timedelta())
        link = patient_link(demo.origin, one)
        for method in ("HEAD", "GET"):
            assert (await reader.page.request.fetch(link, method=method)).ok
        await reader.page.goto("about:blank")
        await reader.page.goto(link)
        await reader.find("planned").wait_for()
        assert await reader.page.evaluate(PRESS_ALL) >= 4
        await expect(reader.page.get_by_text("Er is niets doorgegeven").first).to_be_attached()
        found = await again(demo, one)
        assert (found, found.wish) == (one, None), number
        await reader.page.goto("about:blank")
        await reader.page.goto(link)
        await reader.find("planned").wait_for()
    print(f"scanners: link good and appointment unchanged after {SCANS} of {SCANS}")
    await reader.context.close()
