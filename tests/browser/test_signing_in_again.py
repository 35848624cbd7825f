"""A session that ends while its page is open: the password is asked for above what is there, and nothing is lost."""

import asyncio
from datetime import UTC, datetime, timedelta

from playwright.async_api import expect

from tests.browser.conftest import Demo, Desk, Person, begin_consult, eventually, sees_and_hears


async def sign_out_elsewhere(practitioner: Person, demo: Demo) -> None:
    answer = await practitioner.context.request.post(
        f"{demo.origin}/api/v1/sign-out", data={}, headers={"Origin": demo.origin}
    )
    assert answer.status == 204


async def press(practitioner: Person, selector: str) -> None:
    """Also below the question: the page may have asked by itself in the meantime."""
    await practitioner.page.evaluate("selector => document.querySelector(selector).click()", selector)


async def signs_in_again(practitioner: Person, desk: Desk) -> None:
    await practitioner.find("again-password").fill("iets anders")
    await practitioner.find("again-sign-in").click()
    await practitioner.find("again").get_by_role("alert").get_by_text("klopt niet").wait_for()
    await practitioner.find("again-password").fill(desk.password)
    await practitioner.find("again-sign-in").click()
    await practitioner.find("again").wait_for(state="hidden")


async def test_a_consult_goes_on_below_the_question_for_the_password(
    demo: Demo, desk: Desk, practitioner: Person, patient: Person
) -> None:
    await begin_consult(practitioner, patient)
    await practitioner.page.evaluate("window.sameDocument = true")
    await sign_out_elsewhere(practitioner, demo)
    await practitioner.find("again").wait_for()
    await asyncio.gather(sees_and_hears(practitioner), sees_and_hears(patient))
    await practitioner.find("toggle-mic").click()
    await signs_in_again(practitioner, desk)
    await practitioner.call_state("connected")
    await patient.call_state("connected")
    await practitioner.find("toggle-mic").click()
    await asyncio.gather(sees_and_hears(practitioner), sees_and_hears(patient))
    assert await practitioner.page.evaluate("window.sameDocument")

    codes = [await one.find("verification-code").text_content() for one in (practitioner, patient)]
    assert codes[0] and codes[0] == codes[1]
    await practitioner.find("leave").click()
    await practitioner.find("new-appointment").click()
    await practitioner.find("patient-name").wait_for()


async def test_who_leaves_signed_out_is_told_that_the_consult_ends_later(
    demo: Demo, desk: Desk, practitioner: Person, patient: Person
) -> None:
    await begin_consult(practitioner, patient)
    await sign_out_elsewhere(practitioner, demo)
    await practitioner.find("again").wait_for()
    await press(practitioner, '[data-testid="leave"]')
    await practitioner.page.get_by_text("nog niet beëindigd").wait_for()
    await patient.call_state("connected")
    await signs_in_again(practitioner, desk)
    await practitioner.page.get_by_text("is afgelopen").wait_for()
    await patient.page.get_by_text("is afgelopen").first.wait_for()


async def test_at_the_desk_what_was_being_typed_is_still_there(demo: Demo, desk: Desk, practitioner: Person) -> None:
    await practitioner.find("new-appointment").click()
    await practitioner.find("patient-name").fill("Blauwe vlinder")
    await practitioner.page.locator("#day").fill(f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d}")
    await practitioner.context.clear_cookies()
    await press(practitioner, '[data-testid="create-appointment"]')
    await practitioner.find("again").wait_for()
    await practitioner.page.keyboard.press("Escape")
    await expect(practitioner.find("again")).to_be_visible()
    await signs_in_again(practitioner, desk)
    await practitioner.find("patient-link").wait_for()


async def test_signing_in_in_another_window_is_as_good(demo: Demo, desk: Desk, practitioner: Person) -> None:
    cookies = await practitioner.context.cookies()
    await practitioner.context.clear_cookies()
    await press(practitioner, '[data-action="next"]')
    await practitioner.find("again").wait_for()
    await practitioner.context.add_cookies(
        [{"name": one["name"], "value": one["value"], "url": demo.origin} for one in cookies]
    )

    async def closed() -> bool:
        await practitioner.page.evaluate("window.dispatchEvent(new Event('focus'))")
        return not await practitioner.find("again").is_visible()

    await eventually(closed, "the question goes away")
