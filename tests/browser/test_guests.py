"""Somebody else takes part: added at the desk by keyboard, shown for who they are, and admitted alone."""

import asyncio

from playwright.async_api import Browser

from tests.browser.conftest import Demo, Person, begin_consult, sees_and_hears, sit_down
from tests.browser.test_accessibility import judge

NAME = "Maria Kowalska"


async def add(practitioner: Person) -> str:
    """The link of the new guest."""
    await practitioner.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await practitioner.find("more-of-appointment").press("Enter")
    await practitioner.find("guests-of-appointment").press("Enter")
    await practitioner.find("add-guest").press("Enter")
    await practitioner.page.get_by_text("Vul een naam in.").wait_for()
    await practitioner.find("guest-name").fill(NAME)
    await practitioner.find("guest-role").select_option("interpreter")
    await practitioner.find("guest-language").select_option("en")
    await practitioner.find("guest-name").press("Enter")
    await practitioner.find("guests").get_by_text(NAME).wait_for()
    copies = practitioner.find("guest-copy")
    await practitioner.page.wait_for_function(
        "button => document.activeElement === button", arg=await copies.element_handle()
    )
    await copies.press("Enter")
    await practitioner.find("guests-said").get_by_text("gekopieerd").wait_for()
    return str(await practitioner.page.evaluate("() => navigator.clipboard.readText()"))


async def test_an_interpreter_waits_under_their_own_name_and_comes_in_beside_the_patient(
    chromium: Browser, demo: Demo, practitioner: Person, patient: Person
) -> None:
    link = await add(practitioner)
    await judge(practitioner.page, "who else takes part")
    await practitioner.page.keyboard.press("Escape")
    guest = await sit_down(chromium, demo.port, locale="en-GB", viewport={"width": 390, "height": 844})
    await guest.page.goto(link)
    await guest.page.get_by_text(f"You take part as an interpreter: {NAME}.").locator("visible=true").wait_for()
    assert await guest.find("wish").count() == 0, "what is the patient's to say"
    await judge(guest.page, "the page of a guest")

    await begin_consult(practitioner, patient)
    await guest.find("join").click()
    await guest.find("waiting").wait_for()
    await practitioner.find("caller").get_by_text(f"{NAME} wacht.").wait_for()
    await judge(practitioner.page, "a consult for which somebody else waits")
    await practitioner.find("admit-caller").click()
    await guest.call_state("connected")
    tiles = practitioner.find("tile")
    await tiles.nth(1).wait_for()
    await asyncio.gather(sees_and_hears(practitioner), sees_and_hears(guest))

    await tiles.filter(has_text="Patiënt").get_by_role("button").press("Enter")
    await judge(practitioner.page, "what can be done about somebody")
    await practitioner.find("hold").press("Enter")
    await patient.find("wait-held").wait_for()
    await tiles.filter(has_text="Patiënt").wait_for(state="detached")
    await tiles.filter(has_text=NAME).wait_for()
    await practitioner.page.wait_for_function("name => document.title.includes(name)", arg=NAME)
    assert await patient.find("waiting").is_visible(), "the patient waits meanwhile"
    assert guest.problems == []


async def test_who_is_removed_is_out(chromium: Browser, demo: Demo, practitioner: Person) -> None:
    link = await add(practitioner)
    guest = await sit_down(chromium, demo.port)
    await guest.page.goto(link)
    await guest.find("join").click()
    await guest.find("waiting").wait_for()
    row = practitioner.find("waiting-role")
    await row.get_by_text("tolk bij Patiënt").wait_for(state="attached")
    await practitioner.find("guest-remove").click()
    await practitioner.find("guests-said").get_by_text("doet niet meer mee").wait_for()
    await guest.page.locator("[data-slot=bye-title]").wait_for()
    await guest.page.goto("about:blank")
    await guest.page.goto(link)
    await guest.page.get_by_role("heading", name="Deze link werkt niet").wait_for()
