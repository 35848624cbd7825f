"""The practitioner's desk: plan, hand out a link, delete, set the retention; and what a link shows too early."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.async_api import Browser

from signaling.sessions import PLAIN
from tests.browser.conftest import Demo, Desk, Person, eventually, sit_down
from tests.browser.test_a_consult import CLOCK

PRACTICE = ZoneInfo("Europe/Amsterdam")

PLAN = """
body => fetch('/api/v1/appointments', {
  method: 'POST', body: JSON.stringify({language: 'nl', ...body}), headers: {'Content-Type': 'application/json'},
})
"""
MARK = "element => element.toggleAttribute('data-marked')"
STANDS_THERE = "() => document.activeElement.hasAttribute('data-marked')"
STRANGE_NAMES = ['<img src=x onerror="window.hit = 1">', "محمد عبد الرحمن", "J", "Ω" * 200]


async def plan(practitioner: Person, name: str, at: datetime | None = None) -> str:
    """Make an appointment in the dialog, for now unless it is told when; its link."""
    page = practitioner.page
    at = (at or datetime.now(PRACTICE)).astimezone(PRACTICE)
    await practitioner.find("new-appointment").click()
    await practitioner.find("patient-name").fill(name)
    await page.locator("#day").fill(at.strftime("%Y-%m-%d"))
    await page.locator("#time").fill(at.strftime("%H:%M"))
    link, create = practitioner.find("patient-link"), practitioner.find("create-appointment")

    async def made() -> bool:
        """It may ask whether a time at which there is another appointment is meant."""
        if not await link.is_visible() and await create.is_enabled():
            await create.click()
        return await link.is_visible()

    await eventually(made, "a link for the patient", every=0.5)
    text = await link.input_value()
    await page.keyboard.press("Escape")
    return text


async def test_an_appointment_is_planned_shown_and_its_link_opens(
    demo: Demo, practitioner: Person, patient: Person
) -> None:
    link = await plan(practitioner, "Blauwe vlinder")
    assert re.fullmatch(rf"http://localhost:{demo.port}/c#[\w-]{{44}}", link)
    await practitioner.find("appointments").get_by_text("Blauwe vlinder").wait_for()
    await patient.page.goto(link)
    await patient.find("join").click()
    await practitioner.find("waiting-list").get_by_text("Blauwe vlinder").wait_for()


async def test_a_time_that_is_taken_or_has_passed_is_asked_about(practitioner: Person) -> None:
    at = (datetime.now(PRACTICE) + timedelta(days=3)).replace(hour=10, minute=0)
    await plan(practitioner, "Eerst", at)
    page, doubts, create = practitioner.page, practitioner.find("doubts"), practitioner.find("create-appointment")
    await page.reload()  # today is shown again, and nothing is known of that day
    await practitioner.find("new-appointment").click()
    await practitioner.find("patient-name").fill("Dan")
    await page.locator("#day").fill(at.strftime("%Y-%m-%d"))
    await page.locator("#time").fill("10:15")
    await create.click()
    await doubts.get_by_text("Op dat moment is er al een afspraak: 10:00\u201310:20.").wait_for()
    await create.get_by_text("Toch plannen").wait_for()
    await page.locator("#time").fill("10:20")
    await page.locator("#time").press("Tab")
    await create.get_by_text("Afspraak maken").wait_for()
    await page.locator("#day").fill((at - timedelta(days=5)).strftime("%Y-%m-%d"))
    await page.locator("#day").press("Tab")
    await doubts.get_by_text("al voorbij").wait_for()
    await practitioner.find("patient-name").fill("Dan, BSN 111222333")
    await create.click()
    await doubts.get_by_text("burgerservicenummer").wait_for()
    assert not await practitioner.find("patient-link").is_visible(), "one doubt that was meant means no other"
    await create.click()
    await practitioner.find("patient-link").wait_for()


async def test_names_are_shown_as_they_were_typed_and_do_nothing(practitioner: Person) -> None:
    for name in STRANGE_NAMES:
        await plan(practitioner, name)
        await practitioner.find("appointments").get_by_text(name, exact=True).wait_for()
    assert await practitioner.page.evaluate("window.hit") is None
    assert not await practitioner.page.evaluate("document.documentElement.scrollWidth > innerWidth")


async def test_a_link_before_its_time_tells_the_time_and_no_name(practitioner: Person, patient: Person) -> None:
    link = await plan(practitioner, "Morgen", datetime.now().astimezone() + timedelta(days=2))
    await patient.page.goto(link)
    await patient.page.get_by_role("heading", name="U bent vroeg").wait_for()
    assert not await patient.find("join").is_visible()
    text = await patient.page.locator("main").inner_text()
    assert re.search(r"om\s\d\d\.\d\d\suur", text)
    assert "Morgen" not in text


async def test_what_is_typed_is_the_practices_time_wherever_the_desk_is(
    chromium: Browser, demo: Demo, desk: Desk
) -> None:
    doctor = await sit_down(chromium, demo.port, timezone_id="America/New_York")
    await doctor.context.add_cookies([{"name": PLAIN, "value": desk.cookie, "url": demo.origin}])
    await doctor.page.goto(f"{demo.origin}/desk")
    await doctor.find("practice-zone").get_by_text("in Amsterdam").wait_for()
    await doctor.find("new-appointment").click()
    await doctor.find("patient-name").fill("Ver weg")
    day = (datetime.now(PRACTICE) + timedelta(days=3)).date()
    await doctor.page.locator("#day").fill(f"{day.day}/{day.month}")
    await doctor.page.locator("#time").fill("14u")
    await doctor.page.locator("#time").blur()
    assert await doctor.page.locator("#day").input_value() == f"{day:%d-%m-%Y}"
    assert await doctor.page.locator("#time").input_value() == "14:00"
    await doctor.page.get_by_text("Dit is de tijd van de praktijk, in Amsterdam.").wait_for()
    await doctor.find("create-appointment").click()
    await doctor.page.get_by_text("om 14.00 uur (tijd in Amsterdam)").wait_for()
    link = await doctor.find("patient-link").input_value()
    for zone, words in (("Europe/Amsterdam", "om 14.00 uur."), ("UTC", "uw tijd (14.00 uur in Amsterdam)")):
        patient = await sit_down(chromium, demo.port, timezone_id=zone)
        await patient.page.goto(link)
        await patient.page.get_by_text(words).first.wait_for()
        assert patient.problems == []
        await patient.context.close()
    assert doctor.problems == []
    await doctor.context.close()


async def test_a_desks_clock_may_stand_wrong_by_a_day(practitioner: Person) -> None:
    await practitioner.page.add_init_script(f"({CLOCK})({30 * 3_600_000})")
    await practitioner.page.reload()
    await practitioner.page.get_by_role("heading", name="Vandaag").wait_for()
    line = practitioner.find("appointments").locator("li").filter(has_text="Patiënt")
    await line.wait_for()
    assert await line.get_attribute("data-state") == "planned"


async def test_a_wrong_link_gets_one_neutral_answer(demo: Demo, patient: Person) -> None:
    texts = set()
    for fragment in ("x" * 44, demo.patient_url.split("#")[1][:22] + "y" * 22, "short", "<script>"):
        await patient.page.goto("about:blank")
        await patient.page.goto(f"http://localhost:{demo.port}/c#{fragment}")
        await patient.page.get_by_role("heading", name="Deze link werkt niet").wait_for()
        texts.add(await patient.page.locator("main").inner_text())
    assert len(texts) == 1


async def more(practitioner: Person) -> None:
    """Unfold what is seldom wanted of the first appointment."""
    await practitioner.find("more-of-appointment").first.click()


async def test_cancelling_asks_first_can_be_undone_and_goes_on_without_the_page(
    demo: Demo, practitioner: Person, patient: Person
) -> None:
    page = practitioner.page
    await practitioner.find("more-of-appointment").wait_for()
    assert not await practitioner.find("delete-appointment").is_visible(), "not beside what is pressed every day"
    await more(practitioner)
    await page.get_by_text(re.compile(r"Wordt .* om\s.*\suur vernietigd")).wait_for()
    for _ in range(2):
        # Twice the same key, as by a hand that shakes, is the cautious answer.
        await practitioner.find("delete-appointment").press("Enter")
        await practitioner.find("confirm-delete").wait_for()
        await page.keyboard.press("Enter")
        await practitioner.find("confirm-delete").wait_for(state="hidden")
        assert await practitioner.find("delete-appointment").count() == 1
    cancel, confirm, keep = (
        practitioner.find(one) for one in ("delete-appointment", "confirm-delete", "keep-appointment")
    )
    await cancel.click()
    await confirm.click()
    await keep.wait_for()
    assert await keep.evaluate("button => document.activeElement === button"), "where a key takes it back"
    await page.get_by_role("status").filter(has_text="De afspraak met Patiënt is geannuleerd.").wait_for()
    await page.keyboard.press("Control+z")
    await page.get_by_text("Dat is ongedaan gemaakt.").wait_for()
    await cancel.click()
    await confirm.click()
    await practitioner.find("undo").wait_for()
    await page.goto("about:blank")

    async def dead() -> bool:
        await patient.page.reload()
        return await patient.page.get_by_role("heading", name="Deze link werkt niet").is_visible()

    await eventually(dead, "the link leads nowhere", every=2)
    await page.goto(f"{demo.origin}/desk")
    await page.get_by_text("Geen afspraken vandaag").wait_for()

    async def received() -> bool:
        """It comes with the sweep, some seconds after nobody reads the appointment any more."""
        await page.reload()
        await practitioner.find("retention").click()
        await page.locator(".receipts summary").click()
        await page.locator("[data-slot=receipts] li").first.wait_for()
        return await page.locator("[data-slot=receipts] code").count() == 1

    await eventually(received, "a receipt", every=1)


async def test_a_waiting_patient_is_told_that_the_appointment_was_cancelled(
    practitioner: Person, patient: Person
) -> None:
    await patient.find("join").click()
    await practitioner.find("admit").wait_for()
    await more(practitioner)
    await practitioner.find("delete-appointment").first.click()
    await practitioner.find("confirm-delete").click()
    await patient.page.get_by_role("heading", name="De afspraak is geannuleerd").wait_for()


async def test_a_retention_is_previewed_saved_and_shown_on_each_appointment(practitioner: Person) -> None:
    page = practitioner.page
    await practitioner.find("retention").click()
    assert await page.locator("input[value='30d']").is_checked()
    await page.locator("input[value='manual']").check()
    await page.get_by_text("Met deze instelling wordt er nu niets vernietigd.").wait_for()
    await practitioner.find("save-retention").click()
    await page.locator("[data-slot=retention-said]").get_by_text("Opgeslagen").wait_for()
    await page.keyboard.press("Escape")
    # Kept until deleted still ends at the operator's cap (S-32).
    await page.get_by_text("Afspraken blijven bewaard tot u ze verwijdert").wait_for()
    await more(practitioner)
    await page.get_by_text(re.compile(rf"Wordt .*{datetime.now().astimezone().year + 1} .*vernietigd")).wait_for()


async def test_the_day_shows_now_and_what_was_never_held(practitioner: Person, patient: Person) -> None:
    now = datetime.now(PRACTICE)  # whose day the desk shows
    body = {"patient": "Gemist", "starts_at": (now - timedelta(minutes=20)).isoformat(timespec="seconds"), "minutes": 5}
    if (now - timedelta(minutes=20)).date() != now.date():
        return
    await practitioner.page.evaluate(PLAN, body)
    await practitioner.page.reload()
    line = practitioner.find("appointments").locator("li")
    await line.filter(has_text="Gemist").get_by_text("Niet gehouden").wait_for()
    assert [("Nu" in text) for text in await line.all_inner_texts()] == [False, False, True]
    await patient.find("join").click()
    await practitioner.find("admit").click()
    await practitioner.call_state("connected")
    await practitioner.find("leave").click()
    await line.filter(has_text="Patiënt").get_by_text("Afgelopen").wait_for()


async def test_whoever_stands_in_a_list_stays_there_while_others_come(
    chromium: Browser, demo: Demo, practitioner: Person, patient: Person
) -> None:
    page, day = practitioner.page, practitioner.find("appointments")
    button, summary = practitioner.find("more-of-appointment"), page.locator(".tell summary")
    await button.press("Enter")
    await button.evaluate(MARK)
    await patient.find("join").click()
    await day.get_by_text("Wacht", exact=True).wait_for()
    earlier = (datetime.now().astimezone() - timedelta(minutes=2)).isoformat(timespec="seconds")
    body = {"patient": "Vroeger", "starts_at": earlier, "minutes": 30, "anyway": True}
    link = (await page.evaluate(f"async body => (await ({PLAN})(body)).json()", body))["link"]

    async def another() -> Person:
        person = await sit_down(chromium, demo.port)
        await person.page.goto(link)
        await person.find("join").click()
        return person

    first = await another()
    await day.get_by_text("Vroeger").wait_for()
    assert await page.evaluate(STANDS_THERE)
    assert await practitioner.find("delete-appointment").nth(1).is_visible(), "unfolded as it was"
    await first.page.get_by_role("button", name="Wachtkamer verlaten").click()
    await practitioner.find("waiting-list").get_by_text("Vroeger").wait_for(state="hidden")
    await summary.press("Enter")
    await summary.evaluate(MARK)
    await another()
    await practitioner.find("waiting-list").get_by_text("Vroeger").wait_for()
    assert await page.evaluate(STANDS_THERE)
    assert await page.locator(".tell[open]").count() == 1


async def test_canned_messages_reach_who_waits(practitioner: Person, patient: Person) -> None:
    await patient.find("join").click()
    await practitioner.find("admit").wait_for()
    await practitioner.page.locator(".tell summary").click()
    for short, whole in (("5 minuten", "vijf minuten"), ("Ik kom zo", "komt zo bij u")):
        await practitioner.page.get_by_role("button", name=short, exact=True).click()
        await patient.find("hold-message").filter(has_text=whole).wait_for()


async def test_other_languages_keep_the_place(practitioner: Person, patient: Person) -> None:
    await patient.find("join").click()
    await patient.find("waiting").wait_for()
    await patient.page.get_by_role("link", name="English").click()
    await patient.page.get_by_text("You are waiting").first.wait_for()
    assert "lang=" not in patient.page.url

    async def one() -> bool:
        return await practitioner.find("admit").count() == 1

    await eventually(one, "still one person waits")


async def test_signing_out_leads_to_the_door_and_stays_there(demo: Demo, practitioner: Person) -> None:
    await practitioner.find("sign-out").click()
    await practitioner.find("sign-in").wait_for()
    await practitioner.page.goto(f"http://localhost:{demo.port}/desk")
    await practitioner.find("sign-in").wait_for()


async def test_who_only_waited_is_told_what_is_true_of_waiting(practitioner: Person, patient: Person) -> None:
    await patient.find("join").click()
    await patient.find("waiting").wait_for()
    await patient.page.get_by_role("button", name="Wachtkamer verlaten").click()
    goodbye = patient.page.locator(".goodbye")
    await goodbye.get_by_text("U hebt de wachtkamer verlaten.").wait_for()
    text = await goodbye.inner_text()
    assert "Niemand heeft u gezien of gehoord" in text
    assert "chat" not in text.lower()
    await patient.page.reload()
    await patient.find("join").click()
    await practitioner.find("admit").click()
    await patient.call_state("connected")
    await patient.find("leave").click()
    await goodbye.get_by_text("De chat is weg van deze pagina").wait_for()
    assert "Niemand heeft u gezien" not in await goodbye.inner_text()
