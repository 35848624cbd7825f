"""An open hour between two browsers: a number on the one, the same at the desk."""

import pytest
from playwright.async_api import Browser

from tests.browser.conftest import Demo, Person, sit_down
from tests.browser.test_accessibility import judge

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_whoever_comes_waits_with_a_number_that_the_desk_shows(
    chromium: Browser, demo: Demo, practitioner: Person
) -> None:
    desk = await practitioner.context.new_page()
    await desk.goto(f"{demo.origin}/account/open-hour")
    await judge(desk, "an open hour that is closed")
    await desk.get_by_label("Tot", exact=True).fill("23:59")
    await desk.get_by_test_id("open-now").click()
    await desk.get_by_text("Open tot 23.59").wait_for()
    await judge(desk, "an open hour")
    page = await desk.get_by_test_id("hour-address").get_by_role("link").get_attribute("href")
    stranger = await sit_down(chromium, demo.port, viewport={"width": 390, "height": 844})
    await stranger.page.goto(str(page))
    await judge(stranger.page, "the page of an open hour")
    await stranger.page.get_by_label("Uw naam").fill("Noor de Wit")
    await stranger.page.keyboard.press("Enter")
    await stranger.page.get_by_role("heading", name="Uw nummer is").wait_for()
    await judge(stranger.page, "a number")
    await stranger.find("to-waiting-room").click()
    await stranger.find("join").click()
    await stranger.find("queue").get_by_text("Hoe lang het duurt, is nog niet bekend.").wait_for()
    await judge(stranger.page, "waiting with a number")
    await practitioner.find("waiting-number").get_by_text("volgende").wait_for()
    await judge(practitioner.page, "the desk with a number")
    await desk.reload()
    await desk.get_by_label("Wie in de rij staat").select_option("go")
    await desk.get_by_label("Wat u daar nog bij wilt zeggen").fill("Morgen om negen uur weer.")
    await desk.get_by_test_id("close-hour").click()
    await stranger.page.get_by_text("Morgen om negen uur weer.").wait_for()
    await practitioner.find("waiting-number").wait_for(state="detached")
    assert stranger.problems == []
    await stranger.context.close()
    await desk.close()
