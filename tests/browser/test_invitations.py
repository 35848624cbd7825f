"""An invitation, from the page of who works here to an account that is signed in: without scripts, and as judged."""

import re

from playwright.async_api import expect

from signaling.sessions import PLAIN
from tests.browser.conftest import Demo, Person, letter_to
from tests.browser.test_accessibility import judge
from vault.records.content import new_id


async def be_owner(demo: Demo, person: Person) -> str:
    """Signed in as the demo's first account; by which cookie."""
    await person.page.goto(demo.practitioner_url)
    await person.find("new-appointment").wait_for()
    return next(one["value"] for one in await person.context.cookies() if one["name"] == PLAIN)


async def test_without_scripts_somebody_is_invited_and_makes_an_account(demo: Demo, patient: Person) -> None:
    """By keyboard; what a demo would have mailed is read on its own page."""
    cookie, browser = await be_owner(demo, patient), patient.context.browser
    assert browser is not None
    context = await browser.new_context(java_script_enabled=False, locale="nl-NL")
    await context.add_cookies([{"name": PLAIN, "value": cookie, "url": demo.origin}])
    page, mail = await context.new_page(), f"i{new_id()}@example.org"
    await page.goto(f"{demo.origin}/practice/people")
    await page.get_by_label("E-mailadres").fill("niets")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_be_focused()
    await page.get_by_role("alert").get_by_role("link", name="E-mailadres").click()
    await page.get_by_label("E-mailadres").fill(mail)
    await page.get_by_label("assistent").check()
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("invitations")).to_contain_text(mail)
    other = await browser.new_context(java_script_enabled=False, locale="nl-NL")
    invited = await other.new_page()
    await (await letter_to(invited, demo, mail)).get_by_role("link").first.click()
    assert invited.url.startswith(f"{demo.origin}/invited/")
    await expect(invited.get_by_text(mail)).to_be_visible()
    await invited.get_by_label("Naam").fill("Fatima")
    await invited.get_by_label("Wachtwoord").fill("kort")
    await invited.keyboard.press("Enter")
    await expect(invited.get_by_role("alert")).to_be_focused()
    await expect(invited.get_by_label("Naam")).to_have_value("Fatima")
    await invited.get_by_label("Wachtwoord").fill("vier losse woorden samen")
    await invited.keyboard.press("Enter")
    await expect(invited.get_by_role("status")).to_be_focused()
    assert invited.url == f"{demo.origin}/account/security?done=joined"
    await page.reload()
    await expect(page.get_by_test_id("people")).to_contain_text("Fatima")
    await context.close()
    await other.close()


async def test_the_pages_are_of_use_to_everybody(demo: Demo, patient: Person) -> None:
    await be_owner(demo, patient)
    page, browser = patient.page, patient.context.browser
    assert browser is not None
    await page.set_viewport_size({"width": 360, "height": 740})
    await page.goto(f"{demo.origin}/practice/people")
    await judge(page, "people")
    await page.get_by_label("E-mailadres").fill(long := f"{'w' * 40}{new_id()}@example.org")
    await patient.find("invite").click()
    await page.get_by_role("status").wait_for()
    await judge(page, "people with an invitation")
    other = await (await browser.new_context(locale="nl-NL")).new_page()
    sent = await letter_to(other, demo, long)
    await judge(other, "what a demo would have sent")
    await sent.get_by_role("link").first.click()
    await judge(other, "an invitation")
    await other.get_by_test_id("accept").click()
    await other.get_by_role("alert").wait_for()
    await judge(other, "an invitation with a mistake")
    await other.context.close()
    await page.get_by_role("button", name=re.compile("^Intrekken")).first.click()
    await page.get_by_role("status").wait_for()
