"""A link that asks for a code: set at the desk, sent by mail, typed on a page of its own by keyboard, and judged."""

import re

from playwright.async_api import Browser

from tests.browser.conftest import Demo, Person, letter_to, sit_down
from tests.browser.test_accessibility import judge
from vault.records.content import new_id


async def test_a_patient_types_the_code_of_a_mail(chromium: Browser, demo: Demo, practitioner: Person) -> None:
    to = f"jan.{new_id()[:8].lower()}@example.org"
    await practitioner.find("more-of-appointment").press("Enter")
    await practitioner.find("correct-appointment").press("Enter")
    await practitioner.page.get_by_test_id("link-code").press("Space")
    await practitioner.find("create-appointment").press("Enter")
    await practitioner.page.get_by_text("daarheen gaat de code").wait_for()
    await judge(practitioner.page, "a code without an address")
    await practitioner.find("patient-mail").fill(to)
    await practitioner.find("create-appointment").press("Enter")
    await practitioner.find("create-appointment").wait_for(state="hidden")

    patient = await sit_down(chromium, demo.port, viewport={"width": 390, "height": 844})
    await patient.page.goto(demo.patient_url)
    await patient.page.get_by_role("heading", name="Uw code").wait_for()
    await judge(patient.page, "the page that asks for a code")
    await patient.find("send-link-code").press("Enter")
    await patient.find("code-sent").get_by_text("e-mail").wait_for()
    reader = await sit_down(chromium, demo.port)
    letter = (await letter_to(reader.page, demo, to)).filter(has_text="Uw code is")
    (code,) = re.findall(r"Uw code is (\d{6})", await letter.inner_text())
    await patient.find("link-code").fill("000000" if code != "000000" else "111111")
    await patient.page.keyboard.press("Enter")
    await patient.page.get_by_text("Deze code klopt niet").wait_for()
    await judge(patient.page, "a wrong code")
    await patient.find("link-code").fill(code)
    await patient.page.keyboard.press("Enter")
    await patient.find("join").wait_for()
    passed = await patient.page.context.cookies()
    await patient.page.context.clear_cookies(name=re.compile("pass$"))
    await patient.find("join").click()
    await patient.page.get_by_role("heading", name="Uw code").wait_for()
    await patient.page.context.add_cookies(passed)  # type: ignore[arg-type]  # what it gave
    await patient.page.goto(demo.patient_url)
    await patient.find("join").click()
    await patient.find("waiting").wait_for()
    await patient.page.reload()
    await patient.find("waiting").wait_for()
    stranger = await sit_down(chromium, demo.port)
    await stranger.page.goto(demo.patient_url)
    await stranger.page.get_by_role("heading", name="Uw code").wait_for()
    assert patient.problems == []
