"""An assistant: invited, set to work, planning by keyboard on a phone; and the pages of it as judged."""

import json
import re
from datetime import UTC, datetime

from playwright.async_api import Page, ViewportSize, expect

from client.wire import Wire
from signaling.protocol.events import Arrive
from signaling.protocol.model import Empty
from tests.browser.conftest import Demo, Person, letter_to
from tests.browser.test_accessibility import judge
from tests.browser.test_invitations import be_owner
from vault.records.content import new_id

PHONE = ViewportSize(width=360, height=740)


async def test_an_assistant_plans_for_whom_they_work(demo: Demo, patient: Person) -> None:
    await be_owner(demo, patient)
    owner, browser = patient.page, patient.context.browser
    assert browser is not None
    me = json.loads(await (await owner.request.get(f"{demo.origin}/api/v1/me")).text())["practitioner"]
    await owner.set_viewport_size(PHONE)
    await owner.goto(f"{demo.origin}/practice/departments")
    await owner.get_by_label("Naam van de afdeling").last.fill(f"Afdeling {new_id()}")
    await owner.keyboard.press("Enter")
    await expect(owner.get_by_role("status")).to_be_focused()
    await judge(owner, "departments")

    await owner.goto(f"{demo.origin}/practice/people")
    await owner.get_by_label("E-mailadres").fill(mail := f"i{new_id()}@example.org")
    await owner.get_by_label("behandelaar", exact=True).uncheck()
    await owner.get_by_label("assistent").check()
    await patient.find("invite").click()
    page = await (await browser.new_context(locale="nl-NL", viewport=PHONE)).new_page()
    await (await letter_to(page, demo, mail)).get_by_role("link").first.click()
    name = f"Ana {new_id()}"
    await page.get_by_label("Naam").fill(name)
    await page.get_by_label("Wachtwoord").fill("vier losse woorden samen")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_be_focused()
    await page.goto(f"{demo.origin}/desk")
    await page.wait_for_url(f"{demo.origin}/served")
    await expect(page.get_by_text("U werkt nog voor niemand")).to_be_visible()

    await owner.goto(f"{demo.origin}/practice/people")
    await owner.get_by_role("link", name=name).click()
    await patient.find("serves").get_by_label("Behandelaar").select_option(me)
    await patient.find("engage").click()
    await expect(owner.get_by_role("status")).to_be_focused()
    await judge(owner, "the page of an assistant")
    await owner.goto(f"{demo.origin}/account/assistants")
    await owner.get_by_role("group").filter(has_text="eerste letters").last.get_by_label("eerste letters").check()
    await patient.find("save-label").last.click()
    await expect(owner.get_by_role("status")).to_be_focused()
    await judge(owner, "who works for somebody")

    await page.reload()
    await page.get_by_test_id("served").get_by_role("link").click()
    await judge(page, "a day of whom one works for")
    await page.get_by_label("Patiënt", exact=True).fill("Vlinder Blauw")
    await page.get_by_label("Dag").fill("2031-03-03")
    await page.get_by_label("Tijd", exact=True).fill("09:30")
    await page.get_by_test_id("plan").press("Enter")
    await expect(page.get_by_role("alert")).to_be_focused()
    await judge(page, "a day with a mistake")
    await page.get_by_label("Dag").fill(await page.evaluate("new Date().toISOString().slice(0, 10)"))
    await page.get_by_test_id("plan").press("Enter")
    again = page.get_by_label("Toch plannen")
    if await again.count():  # at this hour it is past, or there is another
        await again.check()
        await page.get_by_test_id("plan").press("Enter")
    await expect(page.get_by_role("status")).to_be_focused()
    await expect(page.get_by_test_id("day")).to_contain_text("V. B.")
    await sees_who_comes(demo, owner, page)
    await page.get_by_test_id("day").get_by_text("Meer").first.click()
    await page.get_by_role("link", name="Wijzigen").first.click()
    await judge(page, "an appointment that is corrected")
    await page.context.close()


POST = """
([path, body]) => fetch(path, {
  method: 'POST', body: JSON.stringify(body), headers: {'Content-Type': 'application/json'},
}).then((answer) => answer.json())
"""


async def sees_who_comes(demo: Demo, owner: Page, page: Page) -> None:
    """Somebody comes to wait for the practitioner and goes, and the assistant's page says so by itself."""
    await page.get_by_label("Patiënt", exact=True).fill("Half getypt")
    planned = {"patient": "Rode Roos", "starts_at": datetime.now(UTC).isoformat(), "minutes": 20, "anyway": True}
    made = await owner.evaluate(POST, ["/api/v1/appointments", planned])
    token = (await owner.evaluate(POST, ["/api/v1/join", {"link": made["link"]}]))["access_token"]
    wire = Wire(demo.origin, lambda _event, _body: None)
    await wire.open(token)
    try:
        await wire.request("arrive", Arrive(appointment=made["appointment"], participant=new_id()))
        await expect(page.get_by_test_id("waiting")).to_contain_text("R. R.")
        await expect(page).to_have_title(re.compile(r"^\(1\) "))
        await judge(page, "a day with somebody who waits")
        assert await page.get_by_label("Patiënt", exact=True).input_value() == "Half getypt"
        await wire.request("leave", Empty())
        await expect(page.get_by_test_id("waiting")).not_to_contain_text("R. R.")
    finally:
        await wire.close()
