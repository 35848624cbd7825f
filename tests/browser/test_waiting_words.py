"""What is written to who waits, and what they say to it."""

import asyncio

from tests.browser.conftest import Person, begin_consult, sees_and_hears
from tests.browser.test_accessibility import judge


async def test_words_of_ones_own_reach_who_waits_and_are_answered(practitioner: Person, patient: Person) -> None:
    await patient.find("join").click()
    await practitioner.find("waiting-check").get_by_text("Beeld en geluid werken").wait_for()
    assert not await patient.find("say").is_visible(), "there is nothing to answer"
    await practitioner.page.locator(".tell summary").click()
    words = "<b>Heeft u</b> het formulier bij de hand?"
    await practitioner.find("write").fill(words)
    await practitioner.page.keyboard.press("Enter")
    await patient.find("wait-written").get_by_text(words).wait_for()
    assert await practitioner.find("write").input_value() == ""
    await judge(patient.page, "waiting, with words of the practice")
    await patient.find("say").get_by_role("textbox").fill("Ja, hier")
    await patient.page.keyboard.press("Enter")
    await practitioner.find("waiting-said").get_by_text("Ja, hier").wait_for()
    await patient.find("say").get_by_text("Verstuurd: Ja, hier").wait_for()
    await judge(practitioner.page, "the desk with an answer")
    await patient.page.reload()
    await patient.find("wait-written").get_by_text(words).wait_for()
    await practitioner.find("admit").click()
    await patient.call_state("connected")
    assert not await patient.find("wait-written").is_visible()


async def test_who_waits_reads_that_nobody_is_there_and_how_late_it_gets(practitioner: Person, patient: Person) -> None:
    await patient.find("join").click()
    await practitioner.find("admit").wait_for()
    assert not await patient.find("wait-announced").is_visible()
    await practitioner.find("announce-status").select_option("away")
    await practitioner.find("announce-delay").select_option("15")
    await patient.find("wait-announced").get_by_text("is er even niet").wait_for()
    await patient.find("wait-announced").get_by_text("ongeveer 15 minuten").wait_for()
    await practitioner.page.reload()
    await practitioner.find("admit").wait_for()
    assert await practitioner.find("announce-status").input_value() == "away"
    assert await practitioner.find("announce-delay").input_value() == "15"
    await practitioner.find("announce-status").select_option("open")
    await practitioner.find("announce-delay").select_option("")
    await patient.find("wait-announced").wait_for(state="hidden")


async def test_who_is_declined_reads_why_and_comes_again(practitioner: Person, patient: Person) -> None:
    await patient.find("join").click()
    await practitioner.find("admit").wait_for()
    await practitioner.page.locator(".decline summary").click()
    await judge(practitioner.page, "the desk with the way to decline")
    await practitioner.find("decline-message").select_option("call-us")
    await practitioner.page.locator(".decline input").fill("Na twee uur.")
    await practitioner.find("decline").click()
    await patient.page.get_by_role("heading", name="U wordt nu niet ontvangen").wait_for()
    await patient.page.get_by_text("Wilt u de praktijk bellen? Na twee uur.").wait_for()
    await practitioner.find("admit").wait_for(state="hidden")
    await patient.page.get_by_role("button", name="Terug").click()
    await patient.find("join").click()
    await practitioner.find("admit").wait_for()


async def test_who_is_put_back_waits_and_talks_again(practitioner: Person, patient: Person) -> None:
    await begin_consult(practitioner, patient)
    await practitioner.find("more").click()
    await practitioner.find("put-back").click()
    await patient.find("wait-held").wait_for()
    await practitioner.find("newcomer-held").wait_for()
    await judge(practitioner.page, "a consult whose patient was put back")
    await practitioner.find("admit-newcomer").click()
    await practitioner.call_state("connected")
    await patient.call_state("connected")
    await asyncio.gather(sees_and_hears(practitioner), sees_and_hears(patient))
