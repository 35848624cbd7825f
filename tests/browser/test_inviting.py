"""A patient is invited at the desk, by keyboard; the desk says what became of it, and the patient what is cancelled."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, expect

from signaling.sessions import PLAIN
from tests.browser.conftest import Demo, Person, add_desk, eventually, sit_down, start_demo
from tests.client.waiting import PATIENCE
from tests.servers.mail import PASSWORD, SENDER, USER, MailServer, running

TO = "jan@example.com"


@pytest_asyncio.fixture(loop_scope="session")
async def mails(tmp_path: Path) -> AsyncIterator[MailServer]:
    async with running(tmp_path) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def mailing(tmp_path: Path, mails: MailServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Demo]:
    """A server of its own, with a mail server on this machine."""
    settings = {"HOST": "localhost", "PORT": str(mails.port), "SENDER": SENDER, "CA_FILE": str(mails.authority)}
    settings |= {"USER": USER, "PASSWORD": PASSWORD}
    for name, value in settings.items():
        monkeypatch.setenv(f"SPREEKKAMER_PRACTICE__MAIL__{name}", value)
    house = await start_demo(tmp_path / "data")
    yield house
    await house.stop()


async def invite(person: Person, name: str, mail: str) -> Locator:
    """From the desk to the end, by keys; the row of the appointment, unfolded."""
    page = person.page
    await expect(person.find("new-appointment")).to_be_enabled()
    await person.find("new-appointment").press("Enter")
    await page.keyboard.type(name)
    await page.keyboard.press("Tab")
    await page.keyboard.type(mail)
    await page.keyboard.press("Enter")
    doubts = person.find("doubts")  # where the begin that was offered has passed meanwhile
    await person.find("patient-link").or_(doubts).locator("visible=true").first.wait_for()
    if await doubts.is_visible():
        await person.find("create-appointment").press("Enter")
    await person.find("patient-link").wait_for()
    await page.keyboard.press("Escape")
    row = page.locator("[data-appointment]").filter(has_text=name)
    await row.get_by_test_id("more-of-appointment").press("Enter")
    return row


async def test_a_patient_is_invited_comes_and_is_told_that_it_is_cancelled(
    chromium: Browser, mailing: Demo, mails: MailServer
) -> None:
    desk = await add_desk(mailing)
    person = await sit_down(chromium, mailing.port)
    await person.context.add_cookies([{"name": PLAIN, "value": desk.cookie, "url": mailing.origin}])
    await person.page.goto(f"{mailing.origin}/desk")
    await person.find("new-appointment").wait_for()
    row = await invite(person, "Rode vlinder", TO)
    await row.locator('[data-told="queued"]').wait_for()
    await asyncio.wait_for(mails.arrived.wait(), PATIENCE)
    await row.locator('[data-told="sent"]').wait_for()
    body = mails.taken[0].message.get_body(("plain",))
    assert mails.taken[0].recipient == TO and body is not None
    link = next(word for word in str(body.get_content()).split() if word.startswith(mailing.origin))
    patient = await sit_down(chromium, mailing.port)
    await patient.page.goto(link)
    await patient.page.locator('[data-slot="planned"]').locator("visible=true").wait_for()  # early or not
    await row.locator('[data-told="opened"]').wait_for()
    await row.get_by_test_id("delete-appointment").click()
    assert await person.find("tell-patient").is_checked()
    await person.find("confirm-delete").click()

    async def told() -> bool:
        return any(str(one.message["Subject"]).startswith("Geannuleerd") for one in mails.taken)

    await eventually(told, "the patient is told that it is cancelled")
    await row.wait_for(state="detached")
    assert person.problems == []


async def test_an_address_that_is_none_is_said_beside_it(practitioner: Person) -> None:
    person = practitioner
    await person.find("new-appointment").click()
    await person.find("patient-name").fill("Rode vlinder")
    await person.find("patient-mail").fill("nobody@192.0.2.1")
    await person.find("create-appointment").click()
    await person.page.locator("#mail-problem").wait_for()
    assert await person.find("patient-mail").get_attribute("aria-invalid") == "true"
    assert await person.find("patient-mail").evaluate("field => document.activeElement === field")


SAID = """
async (told) => {
  const loaded = [...document.querySelectorAll('link[rel=modulepreload], script[type=module]')];
  const addresses = loaded.map((one) => one.href || one.src);
  const { toldLines } = await import(addresses.find((one) => one.endsWith('/pages/told.js')));
  const { render } = await import(addresses.find((one) => one.includes('/lit-html')));
  const place = document.createElement('div');
  render(toldLines({ told }), place);
  return [...place.querySelectorAll('.fate')].map((one) => one.textContent.trim());
}
"""


async def test_a_refusal_says_why_in_words(practitioner: Person) -> None:
    """Drawn by the page's own module: the sandbox's mail server takes whatever it is given."""
    await expect(practitioner.find("new-appointment")).to_be_enabled()
    refused = {"word": "invitation", "state": "refused", "at": None}
    reasons = {"mail": ["recipient 550", "bounced 5.1.1", "bounced"], "sms": ["mobile", "refused 42", "greeting 554"]}
    told = [refused | {"way": way, "reason": reason} for way, those in reasons.items() for reason in those]
    lines = await practitioner.page.evaluate(SAID, told)
    assert [one.partition(" \N{EN DASH} ")[2] for one in lines] == [
        "dit adres of nummer bestaat niet of neemt niets aan (550)",
        "het kwam onbezorgd terug (5.1.1)",
        "het kwam onbezorgd terug",
        "Dit is geen mobiel nummer.",
        "de sms-aanbieder weigerde het (42)",
        "greeting (554)",
    ]
