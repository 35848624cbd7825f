"""What is planned for another day than the one that is shown."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.async_api import expect

from tests.browser.conftest import Demo, Person
from tests.browser.test_handouts import save
from vault.records.content import new_id


async def test_the_desk_turns_to_the_day_of_what_was_planned(demo: Demo, practitioner: Person) -> None:
    name = f"Rode vlinder {new_id()[:6]}"
    await expect(practitioner.find("new-appointment")).to_be_enabled()
    await practitioner.find("new-appointment").click()
    await practitioner.find("patient-name").fill(name)
    ahead = datetime.now(ZoneInfo("Europe/Amsterdam")) + timedelta(days=9)
    await practitioner.page.locator("[name=day]").fill(f"{ahead:%d-%m-%Y}")
    await save(practitioner)
    await practitioner.find("patient-link").wait_for()
    await practitioner.page.keyboard.press("Escape")
    await practitioner.page.locator("[data-appointment]").filter(has_text=name).wait_for()
    await practitioner.page.locator('[data-action="today"]').click()
    await expect(practitioner.page.locator("[data-appointment]").filter(has_text=name)).to_have_count(0)
