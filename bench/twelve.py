"""How soon the last of twelve sees all others: two Chromium and ten Python participants, on loopback.

The practitioner's Chromium is in, ten guests send pictures in three sizes that were encoded before, and whoever waits
is admitted at once, by a click that the practitioner's page makes. The patient's Chromium comes last, again and again.
"""

import asyncio
import tempfile
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from playwright.async_api import Browser

from bench.command import command
from bench.compared import Reach, reached, spread
from bench.host import machine, pressure
from bench.load.light import LightParticipant, by_link, frames
from client.rest import Rest
from signaling.protocol.rest import AppointmentView
from tests.browser.conftest import Demo, Person, eventually, sit_down, start_demo
from tests.chromium import chromium

GUESTS = 10
_PATIENCE = 90.0
_SETTLE_SECONDS = 5.0

WATCH = """
(() => {
  const clock = () => performance.timeOrigin + performance.now();
  const marks = window.marks = {};
  const mark = (name) => { marks[name] ??= clock(); };
  document.addEventListener('click', (event) => {
    if (event.target.closest?.('[data-testid="join"]')) mark('join');
    if (event.target.closest?.('[data-testid^="admit"]')) window.admitted = clock();
  }, true);
  setInterval(() => {
    for (const name of ['admit', 'admit-caller']) {
      const button = document.querySelector(`[data-testid="${name}"]`);
      if (window.admitting && button?.checkVisibility() && !button.disabled) { button.click(); return; }
    }
  }, 20);
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(...args) {
      super(...args);
      window.last = this;
      this.addEventListener('connectionstatechange', () => this.connectionState === 'connected' && mark('connected'));
    }
    setRemoteDescription(description) {
      mark('answered');
      this.look();
      return super.setRemoteDescription(description);
    }
    async look() {
      const seen = [...(await this.getStats()).values()].filter(
        (report) => report.type === 'inbound-rtp' && report.kind === 'video' && report.framesDecoded);
      window.seen = seen.length;
      if (seen.length) mark('first');
      if (seen.length >= window.others) mark('all');
      else setTimeout(() => this.look(), 10);
    }
  };
})();
"""


async def plan(demo: Demo, guests: int) -> tuple[str, list[str]]:
    """The patient's link and those of so many guests."""
    async with Rest(demo.origin) as rest:
        await rest.sign_in_with_link(demo.practitioner_url.split("#")[1])
        start = datetime.now(UTC) + timedelta(minutes=1)
        made = await rest.new_appointment("Patient", start.isoformat(timespec="seconds"))
        links = []
        for number in range(guests):
            body = {"name": f"Guest {number + 1}", "role": "guest", "language": "en"}
            said = await rest.call("POST", f"/appointments/{made.appointment}/guests", body)
            links.append(AppointmentView.model_validate_json(said, extra="ignore").guests[-1].link.split("#")[1])
    return made.link, links


async def sit(browser: Browser, demo: Demo) -> Person:
    person = await sit_down(browser, demo.port)
    await person.context.add_init_script(WATCH)
    await person.page.add_init_script(f"window.others = {GUESTS + 1}")
    return person


async def fill(browser: Browser, demo: Demo, guests: list[LightParticipant], links: list[str]) -> Person:
    """The practitioner and ten guests, who see each other."""
    practitioner = await sit(browser, demo)
    await practitioner.page.goto(demo.practitioner_url)
    await practitioner.find("new-appointment").wait_for()
    await practitioner.page.evaluate("window.admitting = true")
    for link in links:
        async with Rest(demo.origin) as rest:
            guest = await by_link(rest, link)
            guests.append(guest)
            await guest.__aenter__()
        await guest.arrive()
        # Each admission begins a handshake of all anew: the next one comes when this one is over.
        await eventually(partial(_all_seen, guests), "the guests and the practitioner see each other", _PATIENCE)
    return practitioner


async def _all_seen(guests: list[LightParticipant]) -> bool:
    """Each of them, and the practitioner, by each of them."""
    return all(len(guest.light.seen) >= len(guests) for guest in guests)


async def one_arrival(browser: Browser, demo: Demo, practitioner: Person, link: str) -> dict[str, float]:
    """Milliseconds until the patient's page shows the first and the last of all others."""
    patient = await sit(browser, demo)
    try:
        await patient.page.goto(link)
        await patient.find("join").wait_for()
        await asyncio.sleep(_SETTLE_SECONDS)
        await patient.find("join").click()
        await eventually(partial(patient.page.evaluate, "window.marks.all"), "everybody's picture", _PATIENCE)
        marks = await patient.page.evaluate("window.marks")
        admitted = await practitioner.page.evaluate("window.admitted")
        await patient.find("leave").click()
        await patient.call_state("ended")
        return {
            "joined": marks["all"] - marks["join"],
            "admitted": marks["all"] - admitted,
            "connected": marks["all"] - marks["connected"],
        }
    finally:
        await patient.context.close()


async def measure(rounds: int) -> list[dict[str, float]]:
    """The first arrival pays for what a server and a page do once: it is left out."""
    frames()
    guests: list[LightParticipant] = []
    results = []
    with tempfile.TemporaryDirectory() as folder:
        demo = await start_demo(Path(folder) / "data")
        try:
            link, links = await plan(demo, GUESTS)
            async with chromium() as browser:
                practitioner = await fill(browser, demo, guests, links)
                for _ in range(rounds + 1):
                    results.append(await one_arrival(browser, demo, practitioner, link))
                    await asyncio.sleep(_SETTLE_SECONDS)
        finally:
            for guest in guests:
                await guest.close()
            await demo.stop()
    return results[1:]


def table(results: list[dict[str, float]]) -> str:
    """Markdown."""

    def row(what: str, part: str, limit: float) -> Reach:
        return Reach(what, spread([result[part] for result in results]), limit, ".0f", " ms")

    waited = f"in the last 5 minutes something waited for a processor {pressure('avg300'):.0f} % of the time"
    rows = [
        row("the twelfth presses *join*, until all eleven pictures are decoded", "joined", 1_500),
        row("from being admitted", "admitted", 1_000),
        row("from the connection's being up", "connected", 500),
    ]
    head = f"{datetime.now(UTC):%Y-%m-%d}; {machine()}; {waited}; arrivals: {len(results)}."
    return "\n".join([head, "", reached(rows)])


async def measured(rounds: int) -> str:
    return table(await measure(rounds))


def main() -> None:
    command("twelve", __doc__, measured, rounds=5)


if __name__ == "__main__":
    main()
