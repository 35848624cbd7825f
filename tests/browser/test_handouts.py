"""Text to paste and a QR code at the desk, by keyboard, as judged and as a scanner reads it."""

import asyncio
from pathlib import Path

from playwright.async_api import expect

from tests.browser.conftest import Demo, Person
from tests.browser.test_accessibility import judge
from tests.readers.codes import scanned
from vault.records.content import new_id

ANSWERED = """() => {
    const button = document.querySelector('[data-testid=create-appointment]');
    return button.closest('form').hidden || !button.disabled;
}"""


async def save(person: Person) -> None:
    """Until the server has answered."""
    await person.find("create-appointment").click()
    await person.page.wait_for_function(ANSWERED)


async def test_a_patient_is_given_words_and_a_code(demo: Demo, patient: Person, tmp_path: Path) -> None:
    page, name = patient.page, f"Rode vlinder {new_id()[:6]}"
    await patient.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=demo.origin)
    await page.set_viewport_size({"width": 360, "height": 740})
    await page.goto(demo.practitioner_url)
    await expect(patient.find("new-appointment")).to_be_enabled()
    await patient.find("new-appointment").press("Enter")
    await patient.find("patient-name").fill(name)
    await save(patient)
    if not await patient.find("patient-link").is_visible():
        await save(patient)  # the begin that was offered has passed meanwhile, or another test has something then
    link = await patient.find("patient-link").input_value()
    await page.keyboard.press("Escape")
    row = page.locator("[data-appointment]").filter(has_text=name)
    await row.get_by_test_id("more-of-appointment").press("Enter")
    await row.get_by_test_id("hand-out").press("Enter")
    code = page.get_by_role("img", name="QR-code van de link voor de patiënt")
    await code.wait_for()
    text = await patient.find("handout-text").input_value()
    assert link in text and name not in text and "afspraak via beeldbellen" in text
    picture = tmp_path / "code.png"
    await code.screenshot(path=picture)
    assert await asyncio.to_thread(scanned, picture) == [link]
    await judge(page, "text and QR code")
    await patient.find("copy-handout").press("Enter")
    await page.get_by_text("Gekopieerd", exact=True).locator("visible=true").wait_for()
    assert await page.evaluate("() => navigator.clipboard.readText()") == text
    await page.keyboard.press("Escape")
    assert await code.count() == 0 and await patient.find("handout-text").input_value() == ""
    assert await row.get_by_test_id("hand-out").evaluate("button => document.activeElement === button")
    assert patient.problems == []
