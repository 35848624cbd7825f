"""Passkeys in Chromium, with an authenticator of its own (CDP): made, used in one click, kept apart."""

from typing import Any

from playwright.async_api import CDPSession, Page

from tests.browser.conftest import Demo, Person
from tests.browser.test_accessibility import judge
from tests.browser.test_an_account import PASSWORD, add_account
from tests.browser.test_two_steps import first_step

OPTIONS: dict[str, Any] = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "hasPrf": True,
    "automaticPresenceSimulation": True,
}


async def authenticator(page: Page) -> tuple[CDPSession, str]:
    """One that says yes by itself."""
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("WebAuthn.enable")
    added = await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": OPTIONS})
    return devtools, added["authenticatorId"]


async def test_a_passkey_signs_in_with_one_click(demo: Demo, patient: Person) -> None:
    mail, page = await add_account(demo), patient.page
    await first_step(patient, demo, mail)
    await page.wait_for_url(f"{demo.origin}/desk")
    await page.goto(f"{demo.origin}/account/security")
    await patient.find("new-passkey").click()
    await judge(page, "making a passkey")
    devtools, device = await authenticator(page)  # the judge's own session ends what another has set up
    await page.get_by_label("Naam").fill("Laptop")
    await page.get_by_label("Wachtwoord").fill(PASSWORD)
    await patient.find("make-passkey").click()
    await patient.find("recovery-codes").wait_for()
    kept = (await devtools.send("WebAuthn.getCredentials", {"authenticatorId": device}))["credentials"]
    assert len(kept) == 1 and kept[0]["isResidentCredential"]

    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or "") if "/passkey" in request.url else None)
    await patient.context.clear_cookies()
    await page.goto(f"{demo.origin}/signin")
    await patient.find("passkey").click()
    await page.wait_for_url(f"{demo.origin}/desk")
    assert any("signature" in one for one in sent) and not any("prf" in one or "Results" in one for one in sent)

    await page.goto(f"{demo.origin}/account/security/passkey")
    await page.get_by_label("Naam").fill("Nog een keer")
    assert not await page.get_by_label("Wachtwoord").count(), "a passkey was used just now"
    await patient.find("make-passkey").click()
    await page.get_by_role("alert").get_by_text("Er is geen passkey gemaakt").wait_for()
    await page.goto(f"{demo.origin}/account/security")
    await patient.find("passkey").get_by_text("Laptop").wait_for()
    await devtools.send("WebAuthn.clearCredentials", {"authenticatorId": device})
    await patient.context.clear_cookies()
    await page.goto(f"{demo.origin}/signin")
    await patient.find("passkey").click()
    await page.get_by_role("alert").get_by_text("Er is geen passkey gebruikt").wait_for()


async def test_one_that_cannot_tell_its_person_signs_nobody_in(demo: Demo, patient: Person) -> None:
    mail, page = await add_account(demo), patient.page
    devtools, device = await authenticator(page)
    await first_step(patient, demo, mail)
    await page.wait_for_url(f"{demo.origin}/desk")
    await page.goto(f"{demo.origin}/account/security/passkey")
    await page.get_by_label("Naam").fill("Laptop")
    await page.get_by_label("Wachtwoord").fill(PASSWORD)
    await patient.find("make-passkey").click()
    await patient.find("recovery-codes").wait_for()
    await patient.context.clear_cookies()
    await devtools.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    await page.goto(f"{demo.origin}/signin")
    await patient.find("passkey").click()
    await page.get_by_role("alert").get_by_text("Er is geen passkey gebruikt").wait_for()
