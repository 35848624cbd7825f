"""No camera, microphone or screen outlives the consult that asked for it, whichever way it ends while they open."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Any, Self
from urllib.parse import urlsplit

from playwright.async_api import Browser

from client.link import Link, Token
from client.rest import Rest
from signaling.protocol.events import Admit, Arrive, DeskView, RoomView
from signaling.sessions import PLAIN
from tests.browser.conftest import Demo, Desk, Person, add_desk, eventually, sit_down
from tests.client.waiting import until

AFTER = 1.0
"""Seconds after the last device answered."""

LATE = """
(() => {
  const devices = navigator.mediaDevices;
  const real = devices.getUserMedia.bind(devices);
  const state = window.devices = { tracks: [], opening: 0, held: null };
  const late = async (ask) => {
    state.opening += 1;
    const stream = await ask();
    state.tracks.push(...stream.getTracks());
    if (state.held) await new Promise((resolve) => state.held.push(resolve));
    state.opening -= 1;
    return stream;
  };
  state.hold = () => { state.held = []; };
  state.answer = () => { const held = state.held; state.held = null; held.forEach((resolve) => resolve()); };
  state.alive = () => state.tracks.filter((track) => track.readyState === 'live').length;
  devices.getUserMedia = (constraints) => late(() => real(constraints));
  // Nobody sits here who could choose a screen.
  devices.getDisplayMedia = () => late(async () => document.createElement('canvas').captureStream(1));
  const Native = window.Worker;
  window.workers = [];
  window.Worker = class extends Native { constructor(...args) { super(...args); window.workers.push(this); } };
})();
"""


class Cookied(Rest):
    """The calls of whoever has this session."""

    def __init__(self, url: str, cookie: str) -> None:
        super().__init__(url)
        self._session.cookie_jar.update_cookies({PLAIN: cookie})


class Other:
    """Somebody who takes part in signaling alone: no media is needed to end a consult."""

    def __init__(self, url: str, appointment: str, token: Token) -> None:
        self.id = token_urlsafe(16)
        self.appointment = appointment
        self.waiting: list[str] = []
        self.admitted = False
        self._link = Link(url, self._heard, token, self._nothing)

    async def __aenter__(self) -> Self:
        await self._link.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._link.close()

    async def watch(self) -> None:
        self._heard("desk", await self._link.request("watch"))

    async def arrive(self, *, take_over: bool = False) -> None:
        body = Arrive(appointment=self.appointment, participant=self.id, take_over=take_over)
        self._heard("room", await self._link.request("arrive", body))

    async def admit(self, participant: str) -> None:
        body = Admit(appointment=self.appointment, participant=participant, me=self.id, take_over=False)
        await self._link.request("admit", body)

    async def leave(self) -> None:
        await self._link.request("leave")

    def in_waiting_room(self, participant: str | None = None) -> str | None:
        there = participant in self.waiting if participant else bool(self.waiting)
        return None if there else f"waiting: {self.waiting}"

    def is_in(self) -> str | None:
        return None if self.admitted else "not admitted"

    def _heard(self, event: str, body: Any) -> None:
        if isinstance(body, DeskView):
            self.waiting = [one.participant for one in body.waiting]
        if isinstance(body, RoomView):
            self.admitted = body.me.state == "admitted"

    async def _nothing(self) -> None: ...


async def patient(rest: Rest, link: str) -> Other:
    joined = await rest.join(link)

    async def token() -> str:
        return joined.access_token

    return Other(rest.url, joined.appointment, token)


def practitioner(rest: Rest, appointment: str) -> Other:
    return Other(rest.url, appointment, rest.desk_ticket)


@dataclass
class Scene:
    """One person in a browser whose devices answer late, and the other one without a browser."""

    subject: Person
    other: Other
    desk: Rest
    appointment: str
    link: str

    async def open_everything(self) -> None:
        """The camera that was off, another microphone, a screen; none of them answers."""
        page = self.subject.page
        await eventually(lambda: page.evaluate("devices.opening === 0 && devices.alive() === 2"), "two devices")
        await self.subject.find("toggle-camera").click()
        await page.evaluate("devices.hold()")
        await self.subject.find("toggle-camera").click()
        await self.subject.find("share-screen").click()
        await self.subject.find("share-screen").click()
        await eventually(lambda: page.evaluate("devices.opening === 2"), "a camera and one screen that open")

    async def called_in(self) -> None:
        """The patient is, by whoever sits at the desk, and opens everything."""
        await self.other.watch()
        await until(self.other.in_waiting_room)
        await self.other.admit(self.other.waiting[0])
        await self.subject.page.wait_for_selector('[data-testid="call"]:not([hidden])')
        await self.open_everything()


@asynccontextmanager
async def at_the_patients(browser: Browser, demo: Demo, desk: Desk) -> AsyncIterator[Scene]:
    subject = await sit_down(browser, demo.port)
    await subject.context.add_init_script(LATE)
    async with Cookied(demo.origin, desk.cookie) as rest:
        link = urlsplit(desk.patient_url).fragment
        appointment = (await rest.join(link)).appointment
        async with practitioner(rest, appointment) as other:
            await subject.page.goto(desk.patient_url)
            await subject.find("join").click()
            await subject.find("waiting").wait_for()
            yield Scene(subject, other, rest, appointment, link)
    assert subject.problems == []
    await subject.context.close()


@asynccontextmanager
async def at_the_desk(browser: Browser, demo: Demo, desk: Desk) -> AsyncIterator[Scene]:
    subject = await sit_down(browser, demo.port)
    await subject.context.add_init_script(LATE)
    await subject.context.add_cookies([{"name": PLAIN, "value": desk.cookie, "url": demo.origin}])
    async with Cookied(demo.origin, desk.cookie) as rest, Rest(demo.origin) as visitor:
        link = urlsplit(desk.patient_url).fragment
        async with await patient(visitor, link) as other:
            await other.arrive()
            await subject.page.goto(f"{demo.origin}/desk")
            await subject.page.evaluate("devices.hold()")
            await subject.find("admit").click()
            # Both devices are being opened when the consult begins; it ends before they are.
            await eventually(lambda: subject.page.evaluate("devices.opening === 1"), "devices that open")
            await until(other.is_in)
            yield Scene(subject, other, rest, other.appointment, link)
    assert subject.problems == []
    await subject.context.close()


async def leaves(scene: Scene) -> None:
    await scene.called_in()
    await scene.subject.find("leave").click()


async def is_ended_by_the_practitioner(scene: Scene) -> None:
    await scene.called_in()
    await scene.other.leave()


async def is_destroyed(scene: Scene) -> None:
    await scene.called_in()
    await scene.desk.destroy_appointment(scene.appointment)


async def is_destroyed_while_the_line_is_cut(scene: Scene) -> None:
    await scene.called_in()
    await scene.subject.context.set_offline(True)
    await scene.desk.destroy_appointment(scene.appointment)
    await scene.subject.context.set_offline(False)


async def loses_the_seat_to_another_window(scene: Scene) -> None:
    await scene.called_in()
    async with Rest(scene.desk.url) as visitor, await patient(visitor, scene.link) as second:
        await second.arrive(take_over=True)
        await until(lambda: scene.other.in_waiting_room(second.id))
        await scene.other.admit(second.id)
        await until(second.is_in)


async def goes_to_another_page(scene: Scene) -> None:
    """The page stays in the browser's cache, from which a press on *back* brings it."""
    await scene.called_in()
    await scene.subject.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")


async def breaks_its_encryption(scene: Scene) -> None:
    await scene.called_in()
    await scene.subject.page.evaluate("workers.forEach((one) => one.dispatchEvent(new Event('error')))")


async def stops_waiting(scene: Scene) -> None:
    await scene.subject.page.evaluate("devices.hold()")
    await scene.subject.page.locator("device-preview details summary").click()
    await scene.subject.find("choose-microphone").first.select_option(index=1)
    await eventually(lambda: scene.subject.page.evaluate("devices.opening === 1"), "a microphone that opens")
    await scene.subject.page.locator('[data-action="stop-waiting"]').click()


async def leaves_at_once(scene: Scene) -> None:
    await scene.subject.find("leave").click()


async def is_taken_over_at_another_desk(scene: Scene) -> None:
    async with practitioner(scene.desk, scene.appointment) as second:
        await second.arrive(take_over=True)
        await scene.subject.find("new-appointment").wait_for()


async def destroys_at_another_desk(scene: Scene) -> None:
    await scene.desk.destroy_appointment(scene.appointment)


async def goes_to_another_page_at_once(scene: Scene) -> None:
    await scene.subject.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")


Way = Callable[[Scene], Awaitable[None]]
PATIENTS: list[Way] = [
    leaves,
    is_ended_by_the_practitioner,
    is_destroyed,
    is_destroyed_while_the_line_is_cut,
    loses_the_seat_to_another_window,
    goes_to_another_page,
    breaks_its_encryption,
    stops_waiting,
]
DESKS: list[Way] = [
    leaves_at_once,
    is_taken_over_at_another_desk,
    destroys_at_another_desk,
    goes_to_another_page_at_once,
]
PLACES = {**dict.fromkeys(PATIENTS, at_the_patients), **dict.fromkeys(DESKS, at_the_desk)}
AT_ONCE = 4


async def alive_after(scene: Scene, end: Way) -> int:
    """How many tracks live when the consult is over and every device has answered."""
    page = scene.subject.page
    await end(scene)

    async def over() -> bool:
        call = page.locator('[data-testid="call"]')
        gone = end in (goes_to_another_page, goes_to_another_page_at_once)
        return gone or await call.is_hidden() or await call.get_attribute("data-state") in ("ended", "failed")

    await eventually(over, f"{end.__name__}: the consult is over")
    await page.evaluate("devices.answer()")
    await eventually(lambda: page.evaluate("devices.opening === 0"), f"{end.__name__}: every device answered")
    await asyncio.sleep(AFTER)
    alive: int = await page.evaluate("devices.alive()")
    return alive


async def test_no_track_lives_when_the_consult_is_over(chromium: Browser, house: Demo, demo: Demo) -> None:
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(end: Way) -> tuple[str, int]:
        async with turn, PLACES[end](chromium, demo, await add_desk(house)) as scene:
            return end.__name__, await alive_after(scene, end)

    alive = dict(await asyncio.gather(*map(one, PLACES)))
    assert len(alive) == 12
    assert {name: count for name, count in alive.items() if count} == {}


BLOCKED = """
(() => {
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wanted) =>
    wanted.audio ? Promise.reject(new DOMException('blocked', 'NotAllowedError')) : real(wanted);
})();
"""


async def test_a_blocked_microphone_leaves_the_camera_on_and_is_told_at_the_desk(
    practitioner: Person, patient: Person
) -> None:
    await patient.page.add_init_script(BLOCKED)
    await patient.page.reload()
    await patient.find("join").click()
    await patient.find("waiting").wait_for()
    await patient.find("preview-video").wait_for()
    problem = patient.page.locator('[data-slot="problem"]')
    assert "blokkeert de microfoon" in await problem.inner_text()
    assert "camera en de microfoon" not in await problem.inner_text()
    await practitioner.find("waiting-check").get_by_text("Geen microfoon").wait_for()
