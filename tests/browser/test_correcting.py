"""An appointment is corrected at the desk: by keyboard, and whoever waits reads the new time by the same link."""

from datetime import datetime, timedelta

from tests.browser.conftest import Person
from tests.browser.test_the_desk import PRACTICE, plan

CORRECT = """
([one, body]) => fetch(`/api/v1/appointments/${one}`, {
  method: 'PATCH', body: JSON.stringify(body), headers: {'Content-Type': 'application/json'},
}).then((answer) => answer.status)
"""


async def open_first(practitioner: Person) -> None:
    """The dialog for the first appointment, by keys only."""
    await practitioner.find("more-of-appointment").first.press("Enter")
    await practitioner.find("correct-appointment").first.press("Enter")
    await practitioner.page.get_by_role("heading", name="Afspraak wijzigen").wait_for()
    assert await practitioner.find("patient-name").evaluate("field => document.activeElement === field")


async def test_who_waits_reads_that_it_was_moved_and_stays(practitioner: Person, patient: Person) -> None:
    page = practitioner.page
    await patient.find("join").click()
    await practitioner.find("admit").wait_for()
    await open_first(practitioner)
    at = datetime.now(PRACTICE) + timedelta(minutes=7)
    await page.keyboard.press("Control+A")
    await page.keyboard.type("Rode vlinder")
    await page.locator("#day").fill(f"{at.day}-{at.month}")
    await page.locator("#time").fill(f"{at:%H.%M}")
    await page.locator("#time").press("Enter")
    await page.get_by_text("De afspraak is gewijzigd: Rode vlinder").wait_for()
    await practitioner.find("waiting-list").get_by_text("Rode vlinder").wait_for()
    await practitioner.find("appointments").get_by_text(f"{at:%H:%M}").wait_for()
    await patient.find("wait-moved").filter(has_text=f"{at:%H.%M} uur").wait_for()
    await practitioner.find("admit").click()
    await practitioner.call_state("connected")


async def test_what_another_desk_corrected_meanwhile_is_said_and_not_lost(
    practitioner: Person, patient: Person
) -> None:
    page = practitioner.page
    row = page.locator("[data-appointment]").first
    one = await row.get_attribute("data-appointment")
    await open_first(practitioner)
    assert await page.evaluate(CORRECT, [one, {"seen": 1, "patient": "Elders"}]) == 200
    await row.get_by_text("Elders").wait_for()
    await page.locator("#minutes").select_option("45")
    save = practitioner.find("create-appointment")
    await save.click()
    await page.get_by_text("Intussen is deze afspraak elders gewijzigd. Er staat nu: Elders").wait_for()
    await practitioner.find("patient-name").fill("Hier")
    await save.click()
    await page.get_by_text("De afspraak is gewijzigd: Hier").wait_for()
    await row.get_by_text("45 minuten").wait_for()


async def test_a_time_that_is_taken_is_asked_about_once_when_it_is_moved(practitioner: Person, patient: Person) -> None:
    at = datetime.now(PRACTICE) + timedelta(days=1)  # the desk knows this day and the next
    await plan(practitioner, "Eerder", at)
    page, save = practitioner.page, practitioner.find("create-appointment")
    await page.locator('[data-action="today"]').click()
    await page.locator("[data-appointment]").filter(has_text="Patiënt").wait_for()
    await open_first(practitioner)
    assert await save.inner_text() == "Wijziging opslaan"
    await page.locator("#day").fill(f"{at.day}-{at.month}")
    await page.locator("#time").fill(f"{at:%H:%M}")
    await page.locator("#time").press("Tab")
    await practitioner.find("doubts").get_by_text("Op dat moment is er al").wait_for()
    await save.get_by_text("Toch plannen").wait_for()
    await save.click()
    await page.get_by_text("De afspraak is gewijzigd").wait_for()


async def test_what_was_planned_or_moved_a_moment_ago_is_undone(practitioner: Person) -> None:
    page, day = practitioner.page, practitioner.find("appointments")
    at = datetime.now(PRACTICE) + timedelta(minutes=3)
    row = day.locator("[data-appointment]").filter(has_text="Patiënt")
    before = await row.inner_text()
    await open_first(practitioner)
    await page.locator("#time").fill(f"{at:%H.%M}")
    await page.locator("#minutes").select_option("45")
    await page.locator("#time").press("Enter")
    await row.get_by_text("45 minuten").wait_for()
    await practitioner.find("undo").press("Enter")
    await page.get_by_text("Dat is ongedaan gemaakt.").wait_for()
    await row.get_by_text("120 minuten").wait_for()
    assert before.split()[0] in await row.inner_text(), "and at its time"
    await practitioner.find("new-appointment").click()
    await practitioner.find("patient-name").fill("Vergissing")
    await practitioner.find("create-appointment").click()
    await practitioner.find("patient-link").wait_for()
    await practitioner.find("undo-new").click()
    await page.get_by_text("Dat is ongedaan gemaakt.").wait_for()
    await day.get_by_text("Vergissing").wait_for(state="hidden")
    assert not await practitioner.find("undo").is_visible()
