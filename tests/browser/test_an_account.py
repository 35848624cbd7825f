"""An account with a password: signing in by hand, destroying everything, closing the account."""

from secrets import token_hex

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Demo, Person
from tests.browser.test_the_desk import plan
from tests.opening import open_store
from tests.organisations import OPERATOR
from vault.records.scope import Scope
from vault.settings import VaultSettings

PASSWORD = "een rustige ochtend"


async def add_account(demo: Demo, *, owner: bool = False) -> str:
    """Made in the data folder, beside the running server, as an operator's commands work; its address."""
    mail = f"{token_hex(8)}@example.org"
    async with open_store(VaultSettings(data=demo.data, trust_clock=True), exclusive=False) as store:
        person = await store.organisation.add_account(OPERATOR, mail, PASSWORD, "Kim", "nl")
        if owner:
            await store.organisation.name_owner(Scope.operator(person.id))
    return mail


async def sign_in(person: Person, port: int, mail: str, password: str = PASSWORD) -> None:
    await person.page.goto(f"http://localhost:{port}/signin")
    await person.find("mail").fill(mail)
    await person.find("password").fill(password)
    await person.find("sign-in").click()


async def open_ending(person: Person, password: str) -> None:
    await person.find("account").click()
    await person.page.locator("#ending-password").fill(password)


async def test_the_demos_link_signs_in(demo: Demo, patient: Person) -> None:
    await patient.page.goto(demo.practitioner_url)
    await patient.find("new-appointment").wait_for()


async def test_signing_in_asks_for_the_right_password(demo: Demo, patient: Person) -> None:
    mail = await add_account(demo)
    await sign_in(patient, demo.port, mail, "iets anders")
    await patient.page.get_by_role("alert").get_by_text("klopt niet").wait_for()
    await sign_in(patient, demo.port, mail)
    await patient.find("new-appointment").wait_for()


@pytest.mark.duty("S-43")
async def test_an_account_is_closed_with_all_that_it_had(demo: Demo, patient: Person) -> None:
    mail = await add_account(demo)
    await sign_in(patient, demo.port, mail)
    await patient.find("new-appointment").wait_for()
    await plan(patient, "Blauwe vlinder")
    said = patient.page.locator("[data-slot=ending-said]")

    await open_ending(patient, "iets anders")
    await patient.find("destroy-all").click()
    await said.get_by_text("klopt niet").wait_for()

    await patient.page.locator("#ending-password").fill(PASSWORD)
    await patient.find("destroy-all").click()
    await said.get_by_text("1 afspraak").wait_for()
    await patient.page.keyboard.press("Escape")
    await expect(patient.find("appointments").get_by_text("Blauwe vlinder")).to_have_count(0)

    await open_ending(patient, PASSWORD)
    await patient.find("close-account").click()
    await patient.page.wait_for_url(f"http://localhost:{demo.port}/")
    await sign_in(patient, demo.port, mail)
    await patient.page.get_by_role("alert").get_by_text("klopt niet").wait_for()


async def test_whoever_waits_reads_what_the_practitioner_says_to_them(practitioner: Person, patient: Person) -> None:
    text = 'Ik loop soms <b>uit</b>: blijf "gerust" wachten.'
    said = practitioner.page.locator("[data-slot=sentences-said]")
    await practitioner.find("account").click()
    await expect(practitioner.find("sentence-nl")).to_have_value("")
    await practitioner.find("sentence-nl").fill(f"{text}\n")
    await practitioner.find("save-sentences").click()
    await expect(said).to_have_text("Opgeslagen.")
    await expect(practitioner.find("sentence-nl")).to_have_value(text)
    await patient.find("join").click()
    await expect(patient.find("wait-sentence")).to_have_text(text)
    await practitioner.find("sentence-nl").fill("Het gaat over uw diagnose.")
    await practitioner.find("save-sentences").click()
    await expect(said).to_contain_text("gezondheid te gaan")
    await practitioner.find("save-sentences").click()
    await expect(said).to_have_text("Opgeslagen.")
    await practitioner.find("sentence-nl").fill(" ")
    await practitioner.find("save-sentences").click()
    await expect(practitioner.find("sentence-nl")).to_have_value("")
    await patient.page.reload()
    await patient.find("waiting").wait_for()
    await expect(patient.find("wait-sentence")).to_be_hidden()
