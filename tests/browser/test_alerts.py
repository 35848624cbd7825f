"""Whoever does not look is told that somebody waits: by sound, on the icon, by a notification without a name."""

import json
from datetime import datetime
from typing import Any

from playwright.async_api import Browser

from signaling.sessions import PLAIN
from tests.browser.conftest import Demo, Desk, Person, begin_consult, eventually, sit_down
from tests.browser.test_the_desk import PLAN

RECORD = """
(() => {
  const told = (window.told = {tones: 0, badges: [], notifications: []});
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...at) { told.tones += 1; return start.apply(this, at); };
  for (const [name, number] of [['setAppBadge', (n) => n], ['clearAppBadge', () => 0]]) {
    const badge = Navigator.prototype[name];
    Navigator.prototype[name] = function (n) {
      told.badges.push(number(n));
      return badge.call(this, ...(n ? [n] : []));
    };
  }
  const Real = window.Notification;
  window.Notification = class extends Real {
    constructor(title, options) { super(title, options); told.notifications.push([title, options]); }
  };
  window.away = false;
  Object.defineProperty(document, 'hidden', {get: () => window.away});
})();
"""


async def told(person: Person) -> dict[str, Any]:
    found: dict[str, Any] = await person.page.evaluate("window.told")
    return found


async def sit_at(chromium: Browser, demo: Demo, desk: Desk) -> Person:
    """At a desk that remembers what it said of who waits."""
    doctor = await sit_down(chromium, demo.port)
    await doctor.context.grant_permissions(["notifications"], origin=demo.origin)
    await doctor.context.add_cookies([{"name": PLAIN, "value": desk.cookie, "url": demo.origin}])
    await doctor.page.add_init_script(RECORD)
    await doctor.page.goto(f"{demo.origin}/desk")
    await doctor.find("new-appointment").wait_for()
    return doctor


async def leaves(patient: Person) -> None:
    await patient.page.get_by_role("button", name="Wachtkamer verlaten").click()
    await patient.page.get_by_text("U hebt de wachtkamer verlaten.").wait_for()


async def comes(patient: Person) -> None:
    await patient.page.reload()
    await patient.find("join").click()
    await patient.find("waiting").wait_for()


async def test_who_waits_is_heard_counted_and_notified_of_without_a_name(
    chromium: Browser, demo: Demo, desk: Desk, patient: Person
) -> None:
    doctor = await sit_at(chromium, demo, desk)
    await doctor.page.locator("main").click()
    await comes(patient)
    await doctor.find("admit").wait_for()

    async def rung() -> bool:
        return bool((await told(doctor))["tones"] >= 2)

    await eventually(rung, "a sound")
    found = await told(doctor)
    assert (found["badges"][-1], found["notifications"]) == (1, []), "nobody asked for notifications yet"
    assert await doctor.page.title() == "1 wachtende \u2013 Spreekkamer"
    await leaves(patient)
    await doctor.find("admit").wait_for(state="hidden")
    assert (await told(doctor))["badges"][-1] == 0

    await doctor.find("notify").click()
    await doctor.find("notify").get_by_text("Meldingen aan").wait_for()
    await doctor.page.evaluate("window.away = true")
    await comes(patient)
    await doctor.find("admit").wait_for()
    ((title, said),) = (await told(doctor))["notifications"]
    assert (title, said["body"], said["tag"], said["silent"]) == ("Spreekkamer", "Er wacht iemand.", "waiting", True)
    assert "Patiënt" not in json.dumps(said, ensure_ascii=False)
    await doctor.page.reload()
    await doctor.find("notify").get_by_text("Meldingen aan").wait_for()
    assert doctor.problems == []


async def test_sound_that_was_switched_off_stays_off(
    chromium: Browser, demo: Demo, desk: Desk, patient: Person
) -> None:
    doctor = await sit_at(chromium, demo, desk)
    await doctor.page.locator("main").click()
    await doctor.page.get_by_role("button", name="Geluid aan").click()
    await doctor.page.reload()
    await doctor.page.get_by_role("button", name="Geluid uit").wait_for()
    await doctor.page.locator("main").click()
    await comes(patient)
    await doctor.find("admit").wait_for()
    await doctor.page.wait_for_timeout(500)
    assert (await told(doctor))["tones"] == 0
    assert doctor.problems == []


async def test_in_a_consult_only_the_number_changes(chromium: Browser, demo: Demo, desk: Desk, patient: Person) -> None:
    doctor = await sit_at(chromium, demo, desk)
    await doctor.find("notify").click()
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    body = {"patient": "Later", "starts_at": now, "minutes": 20, "anyway": True}
    made = await doctor.page.evaluate(f"async body => (await ({PLAN})(body)).json()", body)
    await begin_consult(doctor, patient)
    await doctor.page.evaluate("window.away = true")
    before = await told(doctor)
    other = await sit_down(chromium, demo.port)
    await other.page.goto(made["link"])
    await other.find("join").click()
    await other.find("waiting").wait_for()

    async def counted() -> bool:
        return bool((await told(doctor))["badges"][-1] == 1)

    await eventually(counted, "the number")
    await doctor.page.wait_for_timeout(500)
    after = await told(doctor)
    assert (after["tones"], after["notifications"]) == (before["tones"], before["notifications"])
    assert "wachtende" not in await doctor.page.title()
    assert doctor.problems == other.problems == []
