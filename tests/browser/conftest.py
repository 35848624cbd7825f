"""Real browsers against a real server: the demo as a process, and people who use it through Chromium."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Locator, Page, Request

from practice.agenda.guests import Invitee
from practice.agenda.model import patient_link, told_as
from signaling.sessions import PLAIN
from tests import chromium as program
from tests.client.waiting import PATIENCE
from tests.opening import of, open_store
from vault.settings import VaultSettings

ROOT = Path(__file__).parents[2]
TIMED = bool(os.environ.get("PROVE"))
"""Whether how long something takes is judged: a machine that is busy with other things is no error."""

FIXED_PORT = int(os.environ.get("DEMO_PORT", "0"))
INBOUND = """
async () => {
  const seen = {video: 0, audio: 0, energy: 0, decoded: 0, outgoing: 0, sent: 0};
  for (const connection of window.peerConnections) {
    if (connection.connectionState === 'closed') continue;
    for (const report of (await connection.getStats()).values()) {
      if (report.type === 'inbound-rtp' && report.kind === 'video') seen.decoded += report.framesDecoded || 0;
      if (report.type === 'inbound-rtp' && report.kind === 'audio') seen.energy += report.totalAudioEnergy || 0;
      if (report.type === 'outbound-rtp' && report.kind === 'video') seen.sent += report.framesSent || 0;
      if (report.type === 'candidate-pair' && report.nominated)
        seen.outgoing = Math.max(seen.outgoing, report.availableOutgoingBitrate || 0);
    }
  }
  return seen;
}
"""

PICTURE = """
async (selector) => {
  const video = document.querySelector(selector);
  if (!video || !video.videoWidth) return null;
  const canvas = new OffscreenCanvas(32, 24);
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0, 32, 24);
  const data = context.getImageData(0, 0, 32, 24).data;
  const digest = await crypto.subtle.digest('SHA-256', data);
  return Array.from(new Uint8Array(digest).slice(0, 8)).join(',');
}
"""


T = TypeVar("T")


@dataclass
class Demo:
    """A running ``spreekkamer demo`` and its links."""

    process: subprocess.Popen[str]
    practitioner_url: str
    patient_url: str
    health_url: str
    post_url: str
    port: int
    data: Path
    log: Path

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"

    async def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        if self.process.poll() is None:
            self.process.send_signal(sign)
            await asyncio.to_thread(self.process.wait, 15)
        if self.process.stdout is not None:
            self.process.stdout.close()


async def start_demo(data: Path, port: int = 0) -> Demo:
    """Start the demo and wait for its one JSON line."""
    log = data.parent / f"{data.name}.log"
    data.mkdir(parents=True, exist_ok=True)
    program = str(Path(sys.executable).parent / "spreekkamer")
    command = [program, "demo", "--port", str(port), "--data", str(data), "--json"]
    with log.open("ab") as stderr:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=stderr, text=True)
    assert process.stdout is not None
    line = await asyncio.to_thread(process.stdout.readline)
    assert line, log.read_text()
    said = json.loads(line)
    post = said.get("post_url", "")  # not where it was given a mail server
    urls = (said["practitioner_url"], said["patient_url"], said["health_url"], post)
    return Demo(process, *urls, urlsplit(said["health_url"]).port or 80, data, log)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demo]:
    """One server for all tests that leave it running."""
    running = await start_demo(tmp_path_factory.mktemp("demo") / "data", FIXED_PORT)
    yield running
    await running.stop()


@dataclass(frozen=True)
class Desk:
    """A practitioner of one test's own, signed in by ``cookie``, whose one appointment has just begun."""

    cookie: str
    patient_url: str
    password: str
    guest_urls: tuple[str, ...] = ()


async def add_desk(house: Demo, invitees: Sequence[Invitee] = ()) -> Desk:
    """Made in the data folder, beside the running server, as an operator's commands work."""
    settings, begins = VaultSettings(data=house.data, trust_clock=True), datetime.now().astimezone()
    async with open_store(settings, exclusive=False) as store:
        password = token_hex(16)
        person = await store.practitioners.add(f"{token_hex(8)}@example.org", password, "Dokter", "nl")
        appointment = await store.appointments.create(
            of(person.id), "Patiënt", begins.replace(microsecond=0), 120, "nl"
        )
        for invitee in invitees:
            appointment = await store.guests.add(of(person.id), appointment.id, invitee)
        links = tuple(patient_link(house.origin, told_as(appointment, guest)) for guest in appointment.guests)
        cookie = await store.sessions.create(person.id)
        return Desk(cookie, patient_link(house.origin, appointment), password, links)


@pytest_asyncio.fixture(loop_scope="session")
async def desk(house: Demo) -> Desk:
    return await add_desk(house)


@pytest_asyncio.fixture(loop_scope="session")
async def demo(house: Demo, desk: Desk) -> AsyncIterator[Demo]:
    """The server as one test sees it."""
    before = len(house.log.read_bytes())
    yield replace(house, patient_url=desk.patient_url)
    assert b"Traceback" not in house.log.read_bytes()[before:]


@dataclass
class Person:
    """Somebody with a browser window of their own."""

    page: Page
    context: BrowserContext
    problems: list[str] = field(default_factory=list)

    def find(self, testid: str) -> Locator:
        return self.page.get_by_test_id(testid)

    async def media(self) -> dict[str, float]:
        seen: dict[str, float] = await self.page.evaluate(INBOUND)
        return seen

    async def picture(self, testid: str = "remote-video") -> str | None:
        digest: str | None = await self.page.evaluate(PICTURE, f'[data-testid="{testid}"]')
        return digest

    async def call_state(self, state: str, timeout: float = PATIENCE) -> None:
        await self.page.wait_for_selector(f'[data-testid="call"][data-state="{state}"]', timeout=timeout * 1000)


async def eventually(
    check: Callable[[], Awaitable[T | None]], why: str, timeout: float = PATIENCE, every: float = 0.1
) -> T:
    """Poll ``check`` until it returns something true; fail with why and the last value."""
    deadline = asyncio.get_running_loop().time() + timeout
    while True:
        value = await check()
        if value:
            return value
        if asyncio.get_running_loop().time() > deadline:
            pytest.fail(f"not within {timeout} s: {why} (last: {value!r})")
        await asyncio.sleep(every)


async def letter_to(page: Page, demo: Demo, to: str) -> Locator:
    """The newest that was sent to an address, on the page that the demo has for it."""
    found = page.locator(".part").filter(has_text=to).first

    async def is_there() -> bool:
        await page.goto(demo.post_url)
        return await found.count() == 1

    await eventually(is_there, "a letter")
    return found


async def sees_and_hears(person: Person, timeout: float = PATIENCE) -> None:
    """A remote picture that changes, a frame count that grows, audio energy above silence."""
    first = await eventually(person.picture, "a remote picture", timeout)

    async def changed() -> bool:
        now = await person.picture()
        return now is not None and now != first

    await eventually(changed, "a remote picture that changes", timeout)
    before = await person.media()

    async def more() -> bool:
        now = await person.media()
        return now["decoded"] > before["decoded"] + 5 and now["energy"] > before["energy"] + 1e-6

    await eventually(more, f"more decoded frames and audible sound than {before}", timeout)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One for all tests; each person has a context of their own in it, as good as another browser."""
    async with program.chromium() as browser:
        OPEN.append(browser)
        yield browser


OPEN: list[Browser] = []


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def nobody_stays() -> AsyncIterator[None]:
    """Whoever sat down in a test leaves with it, also when it failed: a call that goes on slows all tests after it."""
    yield
    for browser in OPEN:
        for context in browser.contexts:
            await context.close()


async def sit_down(browser: Browser, origin_port: int, **options: Any) -> Person:
    """A new person; remembers console errors and any request to another origin."""
    context = await browser.new_context(**{"locale": "nl-NL", "timezone_id": "Europe/Amsterdam"} | options)
    context.set_default_timeout(PATIENCE * 1000)
    await context.add_init_script(program.RECORD_PEER_CONNECTIONS)
    page = await context.new_page()
    person = Person(page, context)

    def on_request(request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme in ("http", "https", "ws", "wss") and url.port != origin_port:
            person.problems.append(f"foreign request {request.url}")

    page.on("request", on_request)
    page.on("pageerror", lambda error: person.problems.append(f"page error {error}"))
    return person


@pytest_asyncio.fixture(loop_scope="session")
async def practitioner(chromium: Browser, demo: Demo, desk: Desk) -> AsyncIterator[Person]:
    person = await sit_down(chromium, demo.port)
    await person.context.add_cookies([{"name": PLAIN, "value": desk.cookie, "url": demo.origin}])
    await person.page.goto(f"{demo.origin}/desk")
    await person.find("new-appointment").wait_for()
    yield person
    assert person.problems == []
    await person.context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def patient(chromium: Browser, demo: Demo) -> AsyncIterator[Person]:
    person = await sit_down(chromium, demo.port, viewport={"width": 390, "height": 844})
    await person.page.goto(demo.patient_url)
    await person.find("join").wait_for()
    yield person
    assert person.problems == []
    await person.context.close()


async def begin_consult(practitioner: Person, patient: Person) -> None:
    """The patient joins, the practitioner admits, both see and hear each other."""
    await patient.find("join").click()
    await patient.find("waiting").wait_for()
    await practitioner.find("admit").first.click()
    await practitioner.call_state("connected")
    await patient.call_state("connected")
    await asyncio.gather(sees_and_hears(practitioner), sees_and_hears(patient))
