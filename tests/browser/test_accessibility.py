"""Every page and state, judged by axe-core and by a ruler, in the real demo."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Page

from tests.browser.conftest import Demo, Desk, Person, begin_consult, eventually
from tests.browser.test_signing_in_again import sign_out_elsewhere
from tests.browser.test_the_code import COUNTED

AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js"
SEVERE = ("serious", "critical")

TOO_WIDE = """
() => [...document.querySelectorAll(document.documentElement.scrollWidth <= innerWidth ? 'dialog[open]' : 'body *')]
  .filter((e) => e.getBoundingClientRect().right > window.innerWidth + 1)
  .map((e) => e.outerHTML.slice(0, 90))
"""

SMALL_TARGETS = """
() => [...document.querySelectorAll('a[href], button, input, select, summary')]
  .filter((e) => e.checkVisibility({checkOpacity: true, checkVisibilityCSS: true}))
  .filter((e) => !e.closest('p:not(.actions), li span, address, td'))
  .filter((e) => !document.querySelector('dialog[open]') || e.closest('dialog[open]'))
  .filter((e) => !e.matches('.skip, [type="radio"]'))
  .map((e) => [e.outerHTML.slice(0, 90), (e.closest('label.choice') ?? e).getBoundingClientRect()])
  .filter(([, box]) => box.width > 0 && (box.height < 44 || box.width < 44))
  .map(([html, box]) => `${html} ${Math.round(box.width)}x${Math.round(box.height)}`)
"""


SETTLED = """
async () => {
  const frame = () => new Promise(requestAnimationFrame);
  await frame();
  await frame();
  const changing = document.getAnimations().filter((one) => one instanceof CSSTransition);
  await Promise.allSettled(changing.map((one) => one.finished));
}
"""

FINDINGS = """
async (rules) => (await axe.run({resultTypes: ['violations'], ...(rules && {runOnly: rules})})).violations
  .map((v) => [v.impact, v.id, v.nodes.map((n) => n.html.slice(0, 160))])
"""

EDGELESS = """
() => {
  const edge = (style) => ['Top', 'Right', 'Bottom', 'Left'].some((side) => parseFloat(style[`border${side}Width`]) > 0)
    || (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0);
  const shown = (e) => e.checkVisibility({checkOpacity: true, visibilityProperty: true});
  const reachable = (e) => !document.querySelector('dialog:modal') || e.closest('dialog:modal');
  const block = 'button, input, select, .button, .chip, .card, .notice, .banner, .problem-card, .waiting-card,'
    + '.running, .state-line, .own-state, .hold-message, .preview-frame, .self, .sheet, .chat-log > *, meter-bar,'
    + '.chat[data-open]';
  const bare = (e) => !edge(getComputedStyle(e));
  return [...document.querySelectorAll(block)]
    .filter((e) => shown(e) && reachable(e) && e.getBoundingClientRect().width > 1 && !e.closest('[inert]'))
    .filter((e) => !e.matches('.self-move, .composer *, [type=radio], [type=checkbox]'))
    .filter((e) => bare(e) && [...e.querySelectorAll('.disc, .icon')].every(bare))
    .map((e) => e.outerHTML.slice(0, 90));
}
"""
"""What is set off from the page by its background or shadow alone, which forced colours take away."""

COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules that look at more than the tree, which is the same in the dark."""


@cache
def axe() -> str:
    return AXE.read_text()


async def judge(page: Page, what: str) -> None:
    """No serious finding in light and dark, nothing wider than the window, no small targets."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(axe())
    schemes: tuple[tuple[Literal["dark", "light"], list[str] | None], ...] = (("dark", COLOURS), ("light", None))
    for scheme, rules in schemes:
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        await page.evaluate(SETTLED)
        found = await page.evaluate(FINDINGS, rules)
        assert [finding for finding in found if finding[0] in SEVERE] == [], f"{what}, {scheme}"
    assert await page.evaluate(TOO_WIDE) == [], f"{what} scrolls sideways"
    assert await page.evaluate(SMALL_TARGETS) == [], what
    await page.emulate_media(forced_colors="active")
    assert await page.evaluate(EDGELESS) == [], f"{what}: without an edge in forced colours"
    await page.emulate_media(forced_colors="none")
    tools = await page.context.new_cdp_session(page)
    await tools.send("Page.setFontSizes", {"fontSizes": {"standard": 32}})
    await page.evaluate(SETTLED)
    assert await page.evaluate("getComputedStyle(document.querySelector('main')).fontSize") in ("32px", "36px")
    assert await page.evaluate(TOO_WIDE) == [], f"{what} scrolls sideways with text of 200 %"
    await tools.send("Page.setFontSizes", {"fontSizes": {"standard": 16}})
    await tools.detach()


async def test_pages_without_a_consult(demo: Demo, patient: Person) -> None:
    origin = f"http://localhost:{demo.port}"
    page = await patient.context.new_page()
    await page.set_viewport_size({"width": 360, "height": 740})
    for path in ("/", "/signin", "/privacy", "/nowhere", "/c", "/c#" + "x" * 44):
        await page.goto(origin + path)
        await page.locator("h1:visible").first.wait_for()
        await judge(page, path)
    await page.close()


async def test_the_patients_way(demo: Demo, desk: Desk, practitioner: Person, patient: Person) -> None:
    page = patient.page
    await page.set_viewport_size({"width": 360, "height": 740})
    await judge(page, "check")
    await patient.find("test-devices").click()
    await page.locator("video[data-testid=preview-video]").wait_for()
    await judge(page, "check with a picture")
    await patient.find("join").click()
    await patient.find("waiting").wait_for()
    await judge(page, "wait")
    await practitioner.find("admit").first.click()
    await patient.call_state("connected")
    await judge(page, "talk")
    await judge(practitioner.page, "talk at the desk")
    for person, other in ((patient, "Dokter"), (practitioner, "Patiënt")):
        clock = await person.page.locator(".clock").inner_text()
        assert re.fullmatch(rf"{other}\s+\d\d:\d\d\s+tot \d\d:\d\d", clock), clock
    await writes(practitioner, patient, "Goedemiddag, hoort u mij?")
    await judge(page, "talk with a new message")
    await patient.find("toggle-chat").click()
    await writes(patient, practitioner, "Ja. مرحبا " + "w" * 80)
    await judge(page, "talk with chat")
    await patient.find("toggle-chat").click()
    await page.locator("[data-action=trust]").click()
    await judge(page, "verification code")
    await page.keyboard.press("Escape")
    await patient.find("more").click()
    await judge(page, "devices")
    await page.keyboard.press("Escape")
    await page.evaluate(COUNTED)
    await page.reload()
    for person in (patient, practitioner):
        await person.find("withheld").wait_for()
        await person.find("compare").wait_for()
    await judge(page, "another code, unusually often")
    await practitioner.page.set_viewport_size({"width": 360, "height": 740})
    await judge(practitioner.page, "another code at the desk")
    await sign_out_elsewhere(practitioner, demo)
    await practitioner.find("again").wait_for()
    await practitioner.find("again-sign-in").click()
    await practitioner.find("again").get_by_role("alert").wait_for()
    await judge(practitioner.page, "the password above a consult")
    await practitioner.find("again-password").fill(desk.password)
    await practitioner.find("again-sign-in").click()
    await practitioner.find("again").wait_for(state="hidden")
    await practitioner.page.set_viewport_size({"width": 1280, "height": 720})
    await patient.find("leave").click()
    await patient.call_state("ended")
    await judge(page, "goodbye")
    await judge(practitioner.page, "talk with an empty chair")
    await practitioner.find("leave").click()
    await practitioner.find("reopen").wait_for()
    await judge(practitioner.page, "desk after a consult")


REFUSE = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); };"


@pytest.mark.parametrize(("width", "height"), [(360, 640), (390, 844)])
async def test_who_waits_with_a_blocked_microphone_sees_what_to_do_at_once(
    practitioner: Person, patient: Person, width: int, height: int
) -> None:
    page = patient.page
    await page.set_viewport_size({"width": width, "height": height})
    await page.evaluate(f"() => {{ {REFUSE} }}")
    await patient.find("join").click()
    await patient.find("waiting").wait_for()
    remedy = page.get_by_role("alert").get_by_text("Opnieuw proberen", exact=True)
    box = await remedy.bounding_box()
    assert box is not None
    assert await page.evaluate("scrollY") == 0
    assert box["y"] + box["height"] <= height
    await judge(page, "wait with a blocked microphone")
    await practitioner.find("admit").first.click()
    await patient.call_state("connected")
    state, field = page.locator("[data-slot=own-state]"), patient.find("chat-input")
    await state.filter(has_text="Microfoon en camera geblokkeerd").wait_for()
    lowest, highest = await field.bounding_box(), await state.bounding_box()
    assert lowest is not None
    assert highest is not None
    assert lowest["y"] + lowest["height"] <= highest["y"], "the words lie over the field for a message"


async def test_the_practitioners_desk(practitioner: Person, patient: Person) -> None:
    page = practitioner.page
    await page.set_viewport_size({"width": 360, "height": 740})
    await judge(page, "desk")
    await practitioner.find("new-appointment").click()
    await page.locator("#day").fill((datetime.now(UTC) - timedelta(days=2)).strftime("%Y-%m-%d"))
    await page.locator("#day").press("Tab")
    await practitioner.find("doubts").wait_for()
    await judge(page, "new appointment at a doubtful time")
    await practitioner.find("create-appointment").click()
    await judge(page, "new appointment with a mistake")
    await practitioner.find("patient-name").fill("Blauwe vlinder")
    await practitioner.find("create-appointment").click()
    await practitioner.find("patient-link").wait_for()
    await judge(page, "the link")
    await page.keyboard.press("Escape")
    await practitioner.find("retention").click()
    await judge(page, "retention")
    await page.keyboard.press("Escape")
    await practitioner.find("account").click()
    await judge(page, "account")
    await page.keyboard.press("Escape")
    for view in ("Week", "Lijst", "Dag"):
        await page.get_by_role("button", name=view, exact=True).click()
        await judge(page, f"agenda: {view}")
    await practitioner.find("more-of-appointment").first.click()
    await judge(page, "more of an appointment")
    await practitioner.find("delete-appointment").first.click()
    await judge(page, "delete")
    await page.keyboard.press("Escape")
    await patient.find("join").click()
    await practitioner.find("admit").wait_for()
    await judge(page, "somebody waits")
    await page.set_viewport_size({"width": 1440, "height": 900})
    await judge(page, "somebody waits, wide")


async def writes(writer: Person, reader: Person, text: str) -> None:
    await writer.find("chat-input").fill(text)
    await writer.find("chat-input").press("Enter")
    await reader.find("chat-log").get_by_text(text).wait_for(state="attached")


async def test_the_whole_story_with_the_keyboard_alone(practitioner: Person, patient: Person) -> None:
    async def press(person: Person, testid: str) -> None:
        for _ in range(60):
            if await person.page.evaluate("document.activeElement?.dataset.testid") == testid:
                return await person.page.keyboard.press("Enter")
            await person.page.keyboard.press("Tab")
        pytest.fail(f"{testid} cannot be reached with Tab")

    await press(patient, "join")
    await patient.find("waiting").wait_for()
    await practitioner.find("admit").wait_for()
    await press(practitioner, "admit")
    await asyncio.gather(practitioner.call_state("connected"), patient.call_state("connected"))
    where = "document.activeElement.closest('[data-testid=call]') ? 'consult' : document.activeElement.tagName"
    for _ in range(30):
        await patient.page.keyboard.press("Tab")
        # The body stands for the browser's own buttons, which come after the last of the page.
        assert await patient.page.evaluate(where) in ("consult", "BODY")
    await press(patient, "toggle-mic")
    assert await patient.find("toggle-mic").get_attribute("aria-pressed") == "false"
    await press(patient, "toggle-chat")
    await patient.page.keyboard.type("Hallo")
    await patient.page.keyboard.press("Enter")

    async def arrived() -> bool:
        return "Hallo" in (await practitioner.find("chat-log").text_content() or "")

    await eventually(arrived, "the message at the other side")
    await patient.page.keyboard.press("Escape")
    assert await patient.page.evaluate("document.activeElement.dataset.testid") == "toggle-chat"
    await press(practitioner, "leave")
    await patient.call_state("ended")


async def test_the_bar_fades_for_a_still_mouse_and_never_for_the_keyboard(
    practitioner: Person, patient: Person
) -> None:
    await begin_consult(practitioner, patient)
    page = practitioner.page
    still = "document.querySelector('[data-testid=call]').hasAttribute('data-still')"

    async def faded() -> bool:
        return bool(await page.evaluate(still))

    await page.mouse.move(600, 300)
    await eventually(faded, "the bar has faded")
    await page.mouse.move(620, 320)
    assert not await page.evaluate(still)
    await page.keyboard.press("Tab")
    await page.wait_for_timeout(5000)
    assert not await page.evaluate(still)
