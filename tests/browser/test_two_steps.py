"""Signing in in two steps: turned on at the account's page, asked for at the next sign-in, told and mended there."""

from datetime import UTC, datetime

import pyotp
from playwright.async_api import expect

from tests.browser.conftest import Demo, Person
from tests.browser.test_accessibility import judge
from tests.browser.test_an_account import PASSWORD, add_account


async def first_step(person: Person, demo: Demo, mail: str) -> None:
    await person.page.goto(f"{demo.origin}/signin")
    await person.find("mail").fill(mail)
    await person.find("password").fill(PASSWORD)
    await person.find("sign-in").click()


async def test_whoever_turns_it_on_is_asked_for_a_code(demo: Demo, patient: Person) -> None:
    mail, page = await add_account(demo), patient.page
    await first_step(patient, demo, mail)
    await page.wait_for_url(f"{demo.origin}/desk")
    await page.goto(f"{demo.origin}/account")
    await patient.find("security").click()
    await judge(page, "the second step")
    await patient.find("set-app").click()
    await page.set_viewport_size({"width": 360, "height": 740})
    await judge(page, "setting an app up")
    secret = ((await patient.find("secret").text_content()) or "").replace(" ", "")
    await page.get_by_label("Code die de app nu toont").fill(pyotp.TOTP(secret).at(datetime.now(UTC)))
    await page.get_by_label("Wachtwoord").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await patient.find("recovery-codes").wait_for()
    codes = [one.strip() for one in await patient.find("recovery-codes").locator("code").all_text_contents()]
    assert len(codes) == 10
    await judge(page, "recovery codes")

    await patient.context.clear_cookies()
    await first_step(patient, demo, mail)
    code = patient.find("code")
    await expect(code).to_be_focused()
    await expect(patient.find("password")).to_be_hidden()
    await judge(page, "a code is asked for")
    await page.keyboard.press("Enter")
    await expect(code).to_have_accessible_description(
        "Zes cijfers van uw authenticator-app, of een van uw herstelcodes. Vul eerst een code in."
    )
    await code.fill("000 00x")
    await page.keyboard.press("Enter")
    await page.get_by_role("alert").get_by_text("De code klopt niet").wait_for()
    await code.fill(codes[0].upper())
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{demo.origin}/desk")
    await page.goto(f"{demo.origin}/account/security")
    await page.get_by_text("Codes over: 9").wait_for()
