"""How long after *admit* the first remote frame is decoded, in two Chromium on loopback.

One demo server, one consult after the other: the patient waits, the practitioner clicks, and both pages note when
what happened, on the clock that they share. Printed: median and range of each part and of the whole, in milliseconds.
"""

import asyncio
import statistics
import tempfile
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from playwright.async_api import Browser

from bench.command import command
from client.rest import Rest
from tests.browser.conftest import Demo, Person, eventually, sit_down, start_demo
from tests.chromium import chromium

WATCH = """
(() => {
  const clock = () => performance.timeOrigin + performance.now();
  const marks = window.marks = {};
  const mark = (name) => { marks[name] ??= clock(); };
  document.addEventListener('click', (event) => {
    if (event.target.closest?.('[data-testid="admit"]')) mark('click');
  }, true);
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(...args) {
      super(...args);
      this.addEventListener('connectionstatechange', () => this.connectionState === 'connected' && mark('connected'));
    }
    setRemoteDescription(description) {
      mark('answered');
      this.look();
      return super.setRemoteDescription(description);
    }
    async look() {
      for (const report of (await this.getStats()).values()) {
        if (report.type === 'inbound-rtp' && report.kind === 'video' && report.framesDecoded) mark('picture');
      }
      if (!marks.picture) setTimeout(() => this.look(), 5);
    }
  };
})();
"""

PARTS = (("answered", "offer answered"), ("connected", "ICE and DTLS up"), ("picture", "first remote frame decoded"))


async def plan(demo: Demo) -> str:
    """The patient's link of a new appointment, in a minute."""
    async with Rest(demo.origin) as rest:
        await rest.sign_in_with_link(demo.practitioner_url.split("#")[1])
        start = datetime.now(UTC) + timedelta(minutes=1)
        return (await rest.new_appointment("Patient", start.isoformat(timespec="seconds"))).link


async def one_consult(browser: Browser, demo: Demo) -> dict[str, dict[str, float]]:
    """Milliseconds after the click, for each side and part."""
    link = await plan(demo)
    people: list[Person] = []
    for _ in range(2):
        person = await sit_down(browser, demo.port)
        await person.context.add_init_script(WATCH)
        people.append(person)
    practitioner, patient = people
    try:
        await practitioner.page.goto(demo.practitioner_url)
        await practitioner.find("new-appointment").wait_for()
        await patient.page.goto(link)
        await patient.find("join").click()
        await patient.find("waiting").wait_for()
        admit = practitioner.find("admit").first
        await admit.wait_for()
        # Both pages have settled: cameras open, worker loaded, nothing else to do.
        await asyncio.sleep(2)
        await admit.click()
        for person in people:
            await eventually(partial(person.page.evaluate, "window.marks.picture"), "a remote picture", 20)
        marks = [await person.page.evaluate("window.marks") for person in people]
        click = marks[0]["click"]
        await practitioner.find("leave").click()
        await patient.call_state("ended")
        return {
            name: {part: seen[part] - click for part, _ in PARTS}
            for name, seen in zip(("practitioner", "patient"), marks, strict=True)
        }
    finally:
        for person in people:
            await person.context.close()


async def measure(rounds: int) -> list[dict[str, dict[str, float]]]:
    with tempfile.TemporaryDirectory() as folder:
        demo = await start_demo(Path(folder) / "data")
        try:
            async with chromium() as browser:
                results = [await one_consult(browser, demo) for _ in range(rounds + 1)]
        finally:
            await demo.stop()
    # The first consult pays for what a server does once: code pages, connections, certificates.
    return results[1:]


def table(results: list[dict[str, dict[str, float]]]) -> str:
    lines = ["| after the click on *admit* | practitioner's page | patient's page |", "|---|---|---|"]
    for part, words in PARTS:
        cells = []
        for side in ("practitioner", "patient"):
            values = sorted(result[side][part] for result in results)
            cells.append(f"{statistics.median(values):.0f} ms ({values[0]:.0f}–{values[-1]:.0f})")
        lines.append(f"| {words} | {cells[0]} | {cells[1]} |")
    return "\n".join([*lines, "", f"Median (least–most) of {len(results)} consults. Reach: 300 ms to the frame."])


async def measured(rounds: int) -> str:
    return table(await measure(rounds))


def main() -> None:
    command("join", __doc__, measured, rounds=10)


if __name__ == "__main__":
    main()
