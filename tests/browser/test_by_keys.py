"""An appointment by keys alone, counted: from the desk as it opens to an invitation that is sent."""

from dataclasses import dataclass

from playwright.async_api import Page, expect

from tests.browser.conftest import Demo, Person
from vault.records.content import new_id

MAIL = "jan@example.com"
MOST = 20
"""Keys, beside those of the name and the address."""

FOCUSED = "() => document.activeElement?.dataset.testid ?? null"


@dataclass
class Keys:
    """A keyboard that counts."""

    page: Page
    pressed: int = 0

    async def press(self, key: str) -> None:
        self.pressed += 1
        await self.page.keyboard.press(key)

    async def go_to(self, testid: str) -> None:
        """By Tab alone."""
        while await self.page.evaluate(FOCUSED) != testid:
            await self.press("Tab")
            assert self.pressed <= 5 * MOST, f"no way to {testid}"


async def test_an_appointment_takes_few_keys_from_the_desk_until_it_is_sent(demo: Demo, practitioner: Person) -> None:
    page, name = practitioner.page, f"Rode vlinder {new_id()[:6]}"
    await expect(practitioner.find("new-appointment")).to_be_enabled()
    keys = Keys(page)
    await keys.go_to("new-appointment")
    await keys.press("Enter")
    assert await page.evaluate(FOCUSED) == "patient-name"
    await page.keyboard.type(name)
    await keys.press("Tab")
    assert await page.evaluate(FOCUSED) == "patient-mail"
    await page.keyboard.type(MAIL)
    await keys.press("Enter")
    doubts = practitioner.find("doubts")  # where the begin that was offered has passed meanwhile
    await practitioner.find("patient-link").or_(doubts).locator("visible=true").first.wait_for()
    if await doubts.is_visible():
        await keys.press("Enter")
    await practitioner.find("patient-link").wait_for()
    print(f"from the desk to an invitation: {keys.pressed} keys beside the name and the address")
    assert keys.pressed <= MOST
    await page.keyboard.press("Escape")
    row = page.locator("[data-appointment]").filter(has_text=name)
    await row.get_by_test_id("more-of-appointment").press("Enter")
    await row.locator('[data-told="sent"]').wait_for()
