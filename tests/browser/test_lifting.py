"""An owner lifts the second step of somebody who lost it, who is out at once and sets up another."""

import json
from datetime import UTC, datetime

import pyotp
from playwright.async_api import expect

from tests.browser.conftest import Demo, Person
from tests.browser.test_accessibility import judge
from tests.browser.test_an_account import PASSWORD, add_account
from tests.browser.test_two_steps import first_step


async def test_an_owner_lifts_it_by_keyboard_and_whoever_lost_it_is_out(
    demo: Demo, practitioner: Person, patient: Person
) -> None:
    boss, mail = await add_account(demo, owner=True), await add_account(demo)
    theirs, page = patient.page, practitioner.page
    await first_step(patient, demo, mail)
    await theirs.wait_for_url(f"{demo.origin}/desk")
    account = json.loads(await (await theirs.request.get(f"{demo.origin}/api/v1/me")).text())["practitioner"]
    await theirs.goto(f"{demo.origin}/account/security/app")
    secret = ((await patient.find("secret").text_content()) or "").replace(" ", "")
    await theirs.get_by_label("Code die de app nu toont").fill(pyotp.TOTP(secret).at(datetime.now(UTC)))
    await theirs.get_by_label("Wachtwoord").fill(PASSWORD)
    await theirs.keyboard.press("Enter")
    await patient.find("recovery-codes").wait_for()

    await practitioner.context.clear_cookies()
    await first_step(practitioner, demo, boss)
    await page.wait_for_url(f"{demo.origin}/desk")
    await page.goto(f"{demo.origin}/practice/people/{account}")
    await page.set_viewport_size({"width": 360, "height": 740})
    await practitioner.find("factor").click()
    await judge(page, "a member's second step")
    await page.get_by_label("Uw wachtwoord nu").fill("wrong")
    await page.get_by_label("Toestel kapot").focus()
    await page.keyboard.press("Space")
    await practitioner.find("lift-factor").click()
    await expect(page.get_by_role("alert")).to_be_focused()
    await expect(page.get_by_label("Toestel kapot")).to_be_checked()
    await judge(page, "a mistake about it")
    await page.get_by_label("Uw wachtwoord nu").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_be_focused()
    await page.get_by_text("Deze persoon heeft geen tweede stap ingesteld.").wait_for()

    await theirs.goto(f"{demo.origin}/account")
    await theirs.wait_for_url(f"{demo.origin}/signin?next=/account")
    await first_step(patient, demo, mail)
    await theirs.wait_for_url(f"{demo.origin}/desk")


async def test_the_page_of_another_address_is_of_use_to_everybody(demo: Demo, practitioner: Person) -> None:
    await practitioner.page.goto(f"{demo.origin}/account")
    await practitioner.find("change-mail").click()
    await practitioner.page.get_by_role("heading", level=1).wait_for()
    await judge(practitioner.page, "another address")
