"""More than two: everybody sees and hears everybody under one code, and a page shows them well.

Practitioner and patient sit at browsers; two guests have none, and one comes late, by a browser again.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, WebSocketRoute

from client.media import Source
from client.participant import Participant, patient
from client.rest import Rest
from client.synthetic import Pattern, Tone
from practice.agenda.guests import Invitee
from signaling.sessions import PLAIN
from tests.browser.conftest import Demo, Person, add_desk, eventually, sit_down
from tests.browser.group_pictures import DOCUMENT, admit_callers
from tests.browser.test_accessibility import judge

pytestmark = pytest.mark.asyncio(loop_scope="session")

INTERPRETER, COLLEAGUE, LATE = "Maria Kowalska", "Dokter De Wit", "Jan Laat"
INVITEES = (
    Invitee(INTERPRETER, "interpreter", "nl"),
    Invitee(COLLEAGUE, "colleague", "nl"),
    Invitee(LATE, "guest", "nl"),
)
LOOKS = ((60, 440.0), (200, 660.0))
"""Grey and tone of the guests without a browser."""

HEIGHTS = """
async () => {
  const heights = {};
  for (const pc of window.peerConnections) {
    if (pc.connectionState !== 'connected') continue;
    for (const report of (await pc.getStats()).values()) {
      if (report.type === 'outbound-rtp' && report.kind === 'video') heights[report.rid] = report.frameHeight ?? 0;
    }
  }
  return heights;
}
"""
"""Lines of each encoding of one's own camera that is sent."""

BOXES = """
(all) => all.map((tile) => {
  const {width, height} = tile.getBoundingClientRect();
  return [tile.querySelector('bdi').textContent, Math.round(width * height)];
})
"""


class Wire:
    """What the server says to a page, with what a test adds to it."""

    def __init__(self) -> None:
        self.page: WebSocketRoute | None = None
        self.slots: dict[str, Any] | None = None

    def attach(self, page: WebSocketRoute) -> None:
        self.page = page
        server = page.connect_to_server()

        def said(message: str | bytes) -> None:
            if isinstance(message, str) and message.startswith('42["slots",'):
                self.slots = json.loads(message[2:])[1]
            page.send(message)

        server.on_message(said)

    def pause(self, participant: str, *, paused: bool) -> None:
        """As the relay says it when a line is too slow for a picture."""
        assert self.page is not None
        assert self.slots is not None
        self.slots["version"] += 1
        for one in self.slots["slots"]:
            one["paused"] = paused and one["participant"] == participant
        self.page.send("42" + json.dumps(["slots", self.slots]))


@dataclass
class Group:
    practitioner: Person
    patient: Person
    interpreter: Participant
    colleague: Participant
    late_url: str
    wire: Wire = field(default_factory=Wire)

    @property
    def pages(self) -> tuple[Person, Person]:
        return self.practitioner, self.patient

    @property
    def guests(self) -> tuple[Participant, Participant]:
        return self.interpreter, self.colleague


async def come(stack: AsyncExitStack, house: Demo, url: str, level: int, hertz: float) -> Participant:
    """Somebody without a browser, who waits."""
    rest = await stack.enter_async_context(Rest(house.origin))
    tracks: dict[Source, Any] = {"microphone": Tone(hertz), "camera": Pattern(level)}
    one = await stack.enter_async_context(await patient(rest, url.partition("#")[2], tracks))
    await one.arrive()
    await one.indicate(microphone=True, camera=True, screen=False)
    return one


@pytest_asyncio.fixture(loop_scope="session")
async def group(chromium: Browser, house: Demo) -> AsyncIterator[Group]:
    desk = await add_desk(house, INVITEES)
    practitioner = await sit_down(chromium, house.port, viewport={"width": 1440, "height": 900})
    await practitioner.context.add_cookies([{"name": PLAIN, "value": desk.cookie, "url": house.origin}])
    await practitioner.page.goto(f"{house.origin}/desk")
    await practitioner.find("new-appointment").wait_for()
    person = await sit_down(chromium, house.port, viewport={"width": 390, "height": 844})
    wire = Wire()
    await person.page.route_web_socket("**/socket.io/**", wire.attach)
    await person.page.goto(desk.patient_url)
    await person.find("join").click()
    async with AsyncExitStack() as stack:
        guests = [await come(stack, house, url, *look) for url, look in zip(desk.guest_urls, LOOKS, strict=False)]
        waiting = practitioner.find("waiting-list").locator("li")
        await waiting.nth(2).wait_for()
        await waiting.filter(has_text="Patiënt").filter(has_not_text="bij Patiënt").get_by_test_id("admit").click()
        await practitioner.call_state("connected")
        await admit_callers(practitioner.page, len(guests))
        yield Group(practitioner, person, guests[0], guests[1], desk.guest_urls[2], wire)
    assert [*practitioner.problems, *person.problems] == []


def tile(person: Person, name: str) -> Locator:
    return person.find("tile").filter(has_text=name)


async def faces(person: Person, many: int) -> None:
    """So many others are there, each with a picture that was decoded."""

    async def shown() -> bool:
        seen = await person.page.eval_on_selector_all(".tile video", "all => all.map((one) => one.videoWidth)")
        return len(seen) == many and all(seen)

    await eventually(shown, f"{many} faces")


async def code(person: Person) -> str:
    async def six() -> str | None:
        digits = re.sub(r"\D", "", await person.find("verification-code").text_content() or "")
        return digits if len(digits) == 6 else None

    return await eventually(six, "six digits")


async def one_code(group: Group, people: int) -> None:
    """Of all who are in, with their number beside it."""

    async def agreed() -> bool:
        codes = {await code(page) for page in group.pages} | {guest.keys.code for guest in group.guests}
        return len(codes) == 1

    await eventually(agreed, "one code")
    for page in group.pages:
        await page.find("people").get_by_text(f"{people} personen").wait_for()


async def sizes(person: Person) -> dict[str, int]:
    """How large each tile is, in square pixels, by name."""
    return dict(await person.page.eval_on_selector_all(".tile", BOXES))


async def test_everybody_sees_and_hears_everybody_and_sees_whom_they_want_large(group: Group) -> None:
    for page in group.pages:
        await faces(page, 3)
    await one_code(group, 4)
    for guest in group.guests:
        await eventually(partial(hears_all, guest), "every picture and sound")

    practitioner, person = group.pages
    names = {"Patiënt", INTERPRETER, COLLEAGUE}
    assert set(await sizes(practitioner)) == names
    await tile(person, INTERPRETER).get_by_text("tolk").wait_for()
    await tile(person, "Dokter").first.wait_for()
    await tile(practitioner, "Patiënt").get_by_text("spreekt").wait_for(state="attached")
    await practitioner.page.get_by_text("Groepsconsult, 4 personen").wait_for()
    for page, what in ((practitioner, "a group at the desk"), (person, "a group on a phone")):
        await judge(page.page, what)

    for name in (INTERPRETER, "Patiënt"):
        await tile(practitioner, name).get_by_test_id("tile-menu").press("Enter")
        await practitioner.find("pin").press("Enter")
        await practitioner.page.keyboard.press("Escape")
    seen = await sizes(practitioner)
    assert min(seen["Patiënt"], seen[INTERPRETER]) > 2 * seen[COLLEAGUE]

    await only_as_large_as_it_is_shown(group)
    await a_screen_beside_the_faces(group)
    await a_paused_picture_says_so(group)
    await sound_alone(group)


async def hears_all(guest: Participant) -> bool:
    """Frames of every other person's picture and sound are opened."""
    others = [other.participant for other in guest.room.others] if guest.room else []
    sources: tuple[Source, ...] = ("camera", "microphone")
    places = [guest.receiving(other, source) for other in others for source in sources]
    return len(others) == 3 and all(place is not None and place.opened > 5 for place in places)


async def only_as_large_as_it_is_shown(group: Group) -> None:
    """The patient's camera leaves in three sizes; a page that shows it large gets more of it than one that does not."""
    practitioner, person = group.pages

    async def sent() -> bool:
        heights = await person.page.evaluate(HEIGHTS)
        return sorted(heights.values()) == [180, 360, 720]

    await eventually(sent, "three sizes")
    large = tile(practitioner, "Patiënt").locator("video")

    async def got(least: int, most: int) -> bool:
        return least <= int(await large.evaluate("video => video.videoHeight")) <= most

    await eventually(lambda: got(360, 720), "a size for a large face")
    await practitioner.page.set_viewport_size({"width": 480, "height": 400})
    await eventually(lambda: got(1, 180), "the smallest size for a small window")
    await practitioner.page.set_viewport_size({"width": 1440, "height": 900})
    await eventually(lambda: got(360, 720), "a size for a large face again")


async def a_screen_beside_the_faces(group: Group) -> None:
    practitioner, person = group.pages
    await practitioner.page.evaluate(DOCUMENT)
    await practitioner.find("share-screen").click()
    screen = person.find("remote-screen")
    await screen.wait_for()
    await person.page.wait_for_function("() => document.querySelector('[data-testid=remote-screen]').videoWidth > 0")
    await person.find("tile").nth(2).wait_for()
    await judge(person.page, "a screen beside a group")
    boxes = await sizes(person)
    box = await screen.bounding_box()
    assert box is not None
    assert box["width"] * box["height"] > max(boxes.values())
    await practitioner.find("share-screen").click()
    await screen.wait_for(state="hidden")


async def a_paused_picture_says_so(group: Group) -> None:
    participant = group.colleague.id
    words = tile(group.patient, COLLEAGUE).get_by_text("Beeld gepauzeerd: de verbinding is te traag.")
    group.wire.pause(participant, paused=True)
    await words.wait_for(state="attached")
    group.wire.pause(participant, paused=False)
    await words.wait_for(state="detached")


async def sound_alone(group: Group) -> None:
    """No picture leaves, and none comes; one press brings both back."""
    practitioner, person = group.pages
    await person.find("more").click()
    await person.find("sound-only").click()
    await person.page.keyboard.press("Escape")
    await person.find("pictures-again").wait_for()
    await tile(practitioner, "Patiënt").get_by_text("De camera van Patiënt staat uit").wait_for(state="attached")

    async def stopped() -> bool:
        before = (await person.media())["decoded"]
        await asyncio.sleep(1)
        return (await person.media())["decoded"] == before

    await eventually(stopped, "no picture comes")
    await judge(person.page, "sound alone")
    await person.find("pictures-again").click()
    await faces(practitioner, 3)

    async def again() -> bool:
        before = (await person.media())["decoded"]
        await asyncio.sleep(0.2)
        return (await person.media())["decoded"] > before

    await eventually(again, "pictures again")


async def test_whoever_leads_locks_puts_back_removes_and_hands_over(
    chromium: Browser, house: Demo, group: Group
) -> None:
    practitioner = group.practitioner
    await faces(practitioner, 3)
    await practitioner.find("more").click()
    await practitioner.find("lock").click()
    await practitioner.page.get_by_text("Wie nieuw komt, kan niet in de wachtkamer komen.").wait_for()
    late = await sit_down(chromium, house.port, viewport={"width": 390, "height": 844})
    await late.page.goto(group.late_url)
    await late.find("join").click()
    await late.page.get_by_text("Wie nog niet in dit consult was, kan er nu niet bij komen.").wait_for()
    await practitioner.find("lock").click()
    await practitioner.page.keyboard.press("Escape")
    await late.page.get_by_role("button", name="Opnieuw proberen").click()
    await late.find("join").click()
    await practitioner.find("admit-caller").click()
    await faces(late, 4)
    for page in group.pages:
        await faces(page, 4)
    await one_code(group, 5)

    await do(practitioner, COLLEAGUE, "hand-over")
    await tile(practitioner, COLLEAGUE).get_by_text("leidt dit consult mee").wait_for(state="attached")
    await practitioner.find("leave").get_by_text("Verlaten").wait_for()
    await do(practitioner, LATE, "hold")
    await late.find("wait-held").wait_for()
    await practitioner.find("admit-caller").click()
    await late.call_state("connected")
    await do(practitioner, LATE, "remove")
    await late.page.get_by_text("U bent uit het consult verwijderd.").wait_for()
    for page in group.pages:
        await faces(page, 3)
    await one_code(group, 4)
    assert late.problems == []


async def do(person: Person, name: str, what: str) -> None:
    await tile(person, name).get_by_test_id("tile-menu").click()
    await person.find(what).click()
