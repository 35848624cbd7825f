"""A patient is told by text message from the desk: which numbers, what became of it, and its cancellation."""

from tests.browser.conftest import Demo, Person
from tests.browser.test_accessibility import judge
from tests.browser.test_handouts import save
from vault.records.content import new_id


async def test_a_patient_is_told_by_text_message(demo: Demo, patient: Person) -> None:
    """The demo keeps what it would have sent."""
    page, name = patient.page, f"Rode vlinder {new_id()[:6]}"
    await page.goto(demo.practitioner_url)
    await patient.find("new-appointment").click()
    await patient.find("patient-name").fill(name)
    phone, problem = patient.find("patient-phone"), page.locator("#phone-problem")
    await phone.fill("0900 1234")
    await save(patient)
    if not await problem.is_visible():
        await save(patient)  # the begin that was offered has passed meanwhile, or another test has something then
    assert (await problem.inner_text()).startswith("Dit is een betaalnummer.")
    assert await phone.get_attribute("aria-invalid") == "true"
    assert await phone.evaluate("field => document.activeElement === field")
    await judge(page, "a new appointment with a number that is none of a mobile telephone")
    await phone.fill("06 12 34 56 78")
    await save(patient)
    if not await patient.find("patient-link").is_visible():
        await save(patient)
    link = await patient.find("patient-link").input_value()
    await page.keyboard.press("Escape")
    row = page.locator("[data-appointment]").filter(has_text=name)
    await row.get_by_test_id("more-of-appointment").press("Enter")
    await row.locator('[data-told="sent"]').wait_for()
    assert (await row.locator('[data-told="sent"]').inner_text()).startswith("Uitnodiging per sms: verstuurd")
    await row.get_by_test_id("delete-appointment").click()
    assert await patient.find("tell-patient").is_checked()
    await patient.find("confirm-delete").click()
    await row.wait_for(state="detached")
    await page.goto(demo.post_url)
    texts = await page.locator(".letter").all_inner_texts()
    assert [one for one in texts if "gaat niet door" in one] and [one for one in texts if link in one]
    assert patient.problems == []
