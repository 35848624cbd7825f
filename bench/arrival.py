"""How long after *join* the practitioner's page shows and sounds that somebody waits, over two nodes.

Two Chromium, one kept to each of two nodes of the real server (`bench.load.cluster`), under one origin. The patient
presses *join*, waits, leaves and loads the page anew, so often; both note when what happened, on the clock that they
share. What a page does between the press and the server, opening camera and microphone among it, is in the figure.
"""

import statistics
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page

from bench.command import command
from bench.host import machine, pressure
from bench.load import cluster
from bench.load.clerk import MAIL, PASSWORD
from bench.load.cluster import Cluster, Node
from bench.load.crowd import percentile
from tests.browser.conftest import eventually
from tests.chromium import chromium
from tests.prove.figures import Figure, at_most

REACH_MS = 500.0
HEADER = "| what | reach | reached | met |\n|---|---|---|---|"

NOTE = """
(() => {
  const clock = () => performance.timeOrigin + performance.now();
  const noted = (window.noted = {});
  const note = (name) => { noted[name] ??= clock(); };
  window.forget = () => { for (const name of Object.keys(noted)) delete noted[name]; };
  document.addEventListener('click', (event) => {
    if (event.target.closest?.('[data-testid="join"]')) note('joined');
  }, true);
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...at) { note('heard'); return start.apply(this, at); };
  const look = () => document.querySelector('[data-testid="admit"]') && requestAnimationFrame(() => note('shown'));
  new MutationObserver(look).observe(document, {childList: true, subtree: true});
})();
"""


def kept_to(running: Cluster, node: Node) -> list[str]:
    """Flags of a browser for which the cluster's origin is this node."""
    return [f"--host-resolver-rules=MAP 127.0.0.1:{running.balancer.port} 127.0.0.1:{node.port}"]


async def at_the_desk(browser: Browser, running: Cluster) -> Page:
    page = await (await browser.new_context(locale="nl-NL")).new_page()
    await page.add_init_script(NOTE)
    await page.goto(f"{running.origin}/signin")
    await page.get_by_test_id("mail").fill(MAIL)
    await page.get_by_test_id("password").fill(PASSWORD)
    await page.get_by_test_id("sign-in").click()
    await page.get_by_test_id("later").click()  # nothing was agreed to yet
    await page.get_by_test_id("new-appointment").wait_for()
    await page.locator("main").click()  # a browser lets a page sound after a press
    return page


async def once(desk: Page, patient: Page, link: str) -> dict[str, float]:
    """Milliseconds from the press until the desk shows it, and until it sounds."""
    await patient.goto("about:blank")
    await patient.goto(link)
    join = patient.get_by_test_id("join")
    await join.wait_for()
    await desk.evaluate("forget()")
    await join.click()
    await desk.get_by_test_id("admit").wait_for()
    await eventually(partial(desk.evaluate, "noted.heard"), "a sound")
    here: dict[str, Any] = await desk.evaluate("noted")
    pressed = float(await patient.evaluate("noted.joined"))
    await patient.locator('[data-action="stop-waiting"]').click()
    await desk.get_by_test_id("admit").wait_for(state="hidden")
    return {"shown": here["shown"] - pressed, "heard": here["heard"] - pressed}


async def tries(running: Cluster, number: int) -> list[dict[str, float]]:
    """The first is left out: it pays for what a server and two browsers do once."""
    first, last = running.nodes[0], running.nodes[-1]
    async with chromium(*kept_to(running, first)) as one, chromium(*kept_to(running, last)) as other:
        desk = await at_the_desk(one, running)
        patient = await (await other.new_context(locale="nl-NL")).new_page()
        await patient.add_init_script(NOTE)
        link = f"{running.origin}/c#{running.planned[0].link}"
        return [await once(desk, patient, link) for _ in range(number + 1)][1:]


def figures(found: list[dict[str, float]], nodes: int) -> list[Figure]:
    """A row for each of the two."""
    rows = []
    for name, words in (("shown", "the desk shows it"), ("heard", "it sounds")):
        times = [one[name] for one in found]
        beside = f"p95 of {len(times)}; median {statistics.median(times):.0f}, slowest {max(times):.0f}"
        what = f"*join* pressed → {words}, {nodes} nodes" if nodes > 1 else f"*join* pressed → {words}, one node"
        rows.append(at_most(what, REACH_MS, percentile(times, 0.95), "ms", beside))
    return rows


async def measure(number: int) -> str:
    """The whole table."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with cluster.running(Path(folder), media=1, appointments=1, doors=False) as running:
            found = await tries(running, number)
            rows = [figure.row() for figure in figures(found, len(running.nodes))]
    busy = f"in the last 5 minutes something waited for a processor {pressure('avg300'):.0f} % of the time"
    return "\n".join([f"{datetime.now(UTC):%Y-%m-%d}; {machine()}; {busy}.", "", HEADER, *rows])


def main() -> None:
    command("arrival", __doc__, measure, tries=40)


if __name__ == "__main__":
    main()
