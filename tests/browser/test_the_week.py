"""A week at the desk: by keys alone, read out in full, and with what became of each appointment."""

import re
from datetime import datetime, timedelta

from playwright.async_api import Browser

from signaling.sessions import PLAIN
from tests.browser.conftest import Demo, Desk, Person, eventually, sit_down
from tests.browser.test_the_desk import PLAN, PRACTICE


def next_week() -> datetime:
    """Wednesday at ten."""
    today = datetime.now(PRACTICE).replace(hour=10, minute=0, second=0, microsecond=0)
    return today + timedelta(days=9 - today.weekday())


async def planned(person: Person, name: str, at: datetime, minutes: int = 30) -> None:
    body = {"patient": name, "starts_at": at.isoformat(), "minutes": minutes, "anyway": True}
    assert await person.page.evaluate(f"async body => (await ({PLAN})(body)).status", body) == 201


async def active(person: Person) -> str:
    text: str = await person.page.evaluate("document.activeElement.textContent")
    return " ".join(text.split())


async def test_a_week_is_walked_through_by_keys_and_read_out(practitioner: Person) -> None:
    page, at = practitioner.page, next_week()
    await planned(practitioner, "Eerst", at)
    await planned(practitioner, "Tegelijk", at + timedelta(minutes=10))
    await planned(practitioner, "Reiger", at + timedelta(days=1, minutes=45))
    await planned(practitioner, "Ooievaar", at + timedelta(days=3))
    await page.get_by_role("button", name="Week", exact=True).press("Enter")
    await page.get_by_role("button", name="Volgende week").press("Enter")
    week = page.get_by_role("grid")
    await week.get_by_text("Ooievaar").wait_for()
    assert await week.get_by_role("columnheader").count() == 7, "hour, Monday to Friday, and the Saturday that has one"
    first, beside = [await week.get_by_text(name).bounding_box() for name in ("Eerst", "Tegelijk")]
    assert first is not None and beside is not None
    assert first["x"] + first["width"] <= beside["x"] + 1, "what takes the same time stands side by side"
    assert await week.locator("[tabindex='0']").count() == 1
    await week.locator("[tabindex='0']").focus()
    assert "maandag" in await active(practitioner) and "08.00 uur: vrij" in await active(practitioner)
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown"):
        await page.keyboard.press(key)
    said = await active(practitioner)
    assert said.startswith("woensdag") and "10:00 Eerst" in said and said.endswith("Gepland, 30 minuten"), said
    await page.keyboard.press("ArrowDown")
    assert "Tegelijk" in await active(practitioner)
    await page.keyboard.press("ArrowRight")
    assert "Reiger" in await active(practitioner)
    await page.keyboard.press("Enter")
    await practitioner.find("appointments").get_by_text("Reiger").wait_for()
    assert await practitioner.find("correct-appointment").is_visible(), "where all can be done with it"


async def test_a_free_hour_is_planned_from_the_week_and_every_week_on(practitioner: Person) -> None:
    page, at = practitioner.page, next_week()
    await page.get_by_role("button", name="Week", exact=True).click()
    await page.get_by_role("button", name="Volgende week").click()
    free = re.compile(rf"woensdag {at.day} .*10\.00 uur: vrij")
    await page.get_by_role("grid").get_by_role("button", name=free).press("Enter")
    await practitioner.find("patient-name").fill("Elke veertien dagen")
    assert await page.locator("#day").input_value() == f"{at:%d-%m-%Y}"
    assert await page.locator("#time").input_value() == "10:00"
    await page.locator("#repeat").select_option("2")
    create = practitioner.find("create-appointment")
    await create.click()
    await page.get_by_text("Vul de laatste dag in.").wait_for()
    last = at + timedelta(weeks=4, days=3)
    await page.locator("#until").fill(f"{last.day}/{last.month}")
    await page.locator("#until").press("Tab")
    await page.get_by_text("3 afspraken, de laatste op woensdag").wait_for()
    await create.click()
    await page.get_by_text("Elke afspraak heeft een eigen link").wait_for()
    await page.keyboard.press("Escape")
    await page.get_by_role("grid").get_by_text("Elke veertien dagen").wait_for()
    await page.get_by_role("button", name="Lijst", exact=True).click()
    for _ in range(2):
        await page.get_by_role("button", name="Volgende week").click()
    await page.get_by_role("heading", name="woensdag").wait_for()
    await practitioner.find("undo").click()
    await page.get_by_text("Geen afspraken in deze week.").wait_for()


async def test_who_came_is_known_from_the_consult_and_corrected_by_hand(practitioner: Person, patient: Person) -> None:
    page, day = practitioner.page, practitioner.find("appointments")
    if datetime.now(PRACTICE).hour < 1:
        return  # what was an hour ago is of another day
    await planned(practitioner, "Gemist", datetime.now(PRACTICE).replace(microsecond=0) - timedelta(minutes=40), 10)
    row = day.locator("li").filter(has_text="Gemist")
    await row.get_by_text("Niet gehouden").wait_for()
    await row.get_by_test_id("more-of-appointment").click()
    await row.get_by_test_id("attend-missed").click()
    await page.get_by_text("Opgeslagen: Gemist is niet gekomen.").wait_for()
    await row.locator(".chip", has_text="Niet gekomen").wait_for()
    await row.get_by_test_id("attend-held").click()
    await row.get_by_text("Gehouden", exact=True).wait_for()
    await patient.find("join").click()
    await practitioner.find("admit").click()
    await practitioner.call_state("connected")

    async def held() -> bool:
        found = await page.evaluate("async () => (await (await fetch('/api/v1/appointments')).json()).appointments")
        return any(one["patient"] == "Patiënt" and one["attended"] == "held" for one in found)

    await eventually(held, "that they met is noted")


async def test_now_is_one_press_and_a_name(practitioner: Person) -> None:
    await practitioner.find("new-now").press("Enter")
    await practitioner.page.keyboard.type("Zomaar")
    await practitioner.page.keyboard.press("Enter")
    doubts = practitioner.find("doubts")  # where there is another at that time
    await practitioner.find("patient-link").or_(doubts).locator("visible=true").first.wait_for()
    if await doubts.is_visible():
        await practitioner.page.keyboard.press("Enter")
    await practitioner.find("patient-link").wait_for()
    row = practitioner.find("appointments").locator("li").filter(has_text="Zomaar")
    await row.wait_for()
    assert await row.get_attribute("data-state") == "planned"


async def test_a_week_names_the_practices_zone_and_fits_a_telephone(chromium: Browser, demo: Demo, desk: Desk) -> None:
    person = await sit_down(chromium, demo.port, timezone_id="America/New_York", viewport={"width": 390, "height": 844})
    await person.context.add_cookies([{"name": PLAIN, "value": desk.cookie, "url": demo.origin}])
    await person.page.goto(f"{demo.origin}/desk")
    await person.page.get_by_role("button", name="Week", exact=True).click()
    await person.page.get_by_role("grid").wait_for()
    await person.find("practice-zone").get_by_text("in Amsterdam").wait_for()
    assert not await person.page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert person.problems == []
    await person.context.close()
