"""From the patient's page to their own data: the link goes along behind the `#`, and never into an address."""

import pytest
from playwright.async_api import Browser, Request

from tests.browser.conftest import Demo, sit_down

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_patients_page_leads_to_their_data_and_no_address_holds_the_link(
    chromium: Browser, demo: Demo
) -> None:
    person = await sit_down(chromium, demo.port)
    addresses: list[str] = []

    def seen(request: Request) -> None:
        addresses.append(request.url.partition("#")[0])

    person.page.on("request", seen)
    secret = demo.patient_url.partition("#")[2]
    await person.page.goto(demo.patient_url)
    await person.find("join").wait_for()
    await person.page.locator('[data-slot="rights"]').click()
    await person.page.wait_for_url(f"**/c/rights#{secret}")
    field = person.page.locator('input[name="link"]')
    assert await field.input_value() == secret and not await field.is_visible()
    await person.find("send-rights-code").click()
    await person.page.locator('[role="alert"], .notice').first.wait_for()
    assert person.page.url.endswith(f"/c/rights/code#{secret}")
    assert await field.input_value() == secret, "and it is there for another try"
    assert addresses and not [one for one in addresses if secret in one or secret[22:] in one]
    await person.context.close()
