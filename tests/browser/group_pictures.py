"""Pictures of a consult of more than two, for ``tests.browser.screenshots``."""

from datetime import datetime
from typing import TYPE_CHECKING

from playwright.async_api import Page

if TYPE_CHECKING:
    from tests.browser.screenshots import Album, Studio

INVITE = """
async ([patient, starts_at, guests]) => {
  const send = async (path, body) => {
    const headers = {'Content-Type': 'application/json'};
    return (await fetch(`/api/v1/appointments${path}`, {method: 'POST', body: JSON.stringify(body), headers})).json();
  };
  let one = await send('', {patient, starts_at, minutes: 30, language: 'nl', anyway: true});
  for (const [name, role] of guests) one = await send(`/${one.appointment}/guests`, {name, role, language: 'nl'});
  return [one.link, ...one.guests.map(({link}) => link)];
}
"""
MORE_PEOPLE = """
(many) => {
  const call = document.querySelector('consult-call');
  const room = structuredClone(call.consult.room);
  const [one] = room.others.filter(({state}) => state === 'admitted');
  for (let at = room.others.length; at < many; at += 1) {
    const indicators = {microphone: at % 3 > 0, camera: at % 2 > 0, screen: false};
    room.others.push({...one, participant: `made-up-${at}`, role: 'guest', guest: undefined, indicators});
  }
  call.consult.room = room;
  call.show();
}
"""
"""Faces without pictures: two cores send for no twelve people. The next view of the room has them no more."""

DOCUMENT = """
() => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 1280, height: 800});
  const pen = canvas.getContext('2d');
  setInterval(() => {
    pen.fillStyle = '#fff'; pen.fillRect(0, 0, 1280, 800);
    pen.fillStyle = '#333'; pen.font = '44px system-ui';
    ['Leefregels', '', '1. Wandel elke dag een half uur.', '2. Slaap op vaste tijden.'].forEach((line, n) =>
      pen.fillText(line, 90, 130 + n * 70));
  }, 200);
  navigator.mediaDevices.getDisplayMedia = async () => canvas.captureStream(5);
}
"""


async def admit_callers(desk: Page, many: int) -> None:
    """All who wait beside a consult that runs, one after another."""
    callers = desk.get_by_test_id("admit-caller")
    for left in reversed(range(many)):
        await callers.nth(left).wait_for()
        await callers.first.click()
        await callers.nth(left).wait_for(state="detached")


async def group_pictures(studio: "Studio", desk: Page) -> None:
    """Four people, and twelve as far as the page is concerned."""
    now = datetime.now().astimezone().replace(second=0, microsecond=0)
    guests = [["Maria Kowalska", "interpreter"], ["Dokter De Wit", "colleague"]]
    links = await desk.evaluate(INVITE, ["Mevrouw Jansen", now.isoformat(), guests])
    people = [await studio.page(link) for link in links]
    for page in people:
        await page.get_by_test_id("join").click()
        await page.get_by_test_id("waiting").wait_for()
    await desk.get_by_test_id("waiting-list").locator("li").nth(2).wait_for()
    await desk.get_by_test_id("admit").first.click()
    await admit_callers(desk, len(people) - 1)
    await _as_they_are(studio.album, desk, people[0])
    await _by_hand(studio.album, desk, people[0])
    await _many(studio.album, desk, people[0])
    await desk.get_by_test_id("leave").click()
    for page in people:
        await page.context.close()


async def _as_they_are(album: "Album", desk: Page, patient: Page) -> None:
    for page in (desk, patient):
        await page.get_by_test_id("tile").nth(2).wait_for()
    await desk.wait_for_timeout(3000)
    await album.take(desk, "group-desk", whole=False)
    await album.take(patient, "group", whole=False)
    await album.take_special(patient, "group")


async def _by_hand(album: "Album", desk: Page, patient: Page) -> None:
    menu = desk.get_by_test_id("tile").filter(has_text="De Wit").get_by_test_id("tile-menu")
    await menu.click()
    await album.take(desk, "group-person", whole=False)
    await desk.get_by_test_id("pin").click()
    await desk.keyboard.press("Escape")
    await album.take(desk, "group-pinned", whole=False)
    await desk.evaluate(DOCUMENT)
    await desk.get_by_test_id("share-screen").click()
    await patient.get_by_test_id("remote-screen").wait_for()
    await patient.wait_for_timeout(1500)
    await album.take(patient, "group-screen", whole=False)
    await desk.get_by_test_id("share-screen").click()
    await patient.get_by_test_id("more").click()
    await patient.get_by_test_id("sound-only").click()
    await patient.keyboard.press("Escape")
    await album.take(patient, "group-sound-only", whole=False)
    await patient.get_by_test_id("pictures-again").click()


async def _many(album: "Album", desk: Page, patient: Page) -> None:
    for many in (6, 11):
        for page, name in ((desk, "group-desk"), (patient, "group")):
            await page.evaluate(MORE_PEOPLE, many)
            await album.take(page, f"{name}-{many + 1}", whole=False)
    await patient.set_viewport_size({"width": 844, "height": 390})
    await album.take(patient, "group-12-sideways", whole=False, sizes={"844": (844, 390)})
