"""How long a week takes at the desk of somebody who has planned a lot: the server's answer, and until it is painted."""

import statistics
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import NamedTuple

import aiohttp
from playwright.async_api import Browser

from bench.command import command
from signaling.protocol.model import API
from signaling.sessions import PLAIN
from tests.browser.conftest import Demo, sit_down, start_demo
from tests.chromium import chromium
from tests.opening import of, open_store
from vault.settings import VaultSettings

LIVING = 2_000
A_WEEK = 40
WEEK_DAYS = 5

PAINTED = """
async () => {
  const began = performance.now();
  document.querySelector('[data-show="week"]').click();
  while (!document.querySelector('.week-entry')) await new Promise(requestAnimationFrame);
  await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)));
  return performance.now() - began;
}
"""


class Took(NamedTuple):
    """Milliseconds: the first answer, which knows nothing yet; those after it; a week until it is painted."""

    first: float
    later: list[float]
    painted: list[float]


async def furnish(demo: Demo, each_week: int) -> str:
    """The cookie of somebody with so many appointments a week, from this week on; ``LIVING`` in all."""
    now = datetime.now().astimezone()
    monday = (now - timedelta(days=now.weekday())).replace(hour=8, minute=0, second=0, microsecond=0)
    async with open_store(VaultSettings(data=demo.data, trust_clock=True), exclusive=False) as store:
        person = await store.practitioners.add(f"{token_hex(8)}@example.org", token_hex(16), "Practitioner", "nl")
        await store.practitioners.set_retention(of(person.id), "90d")
        for number in range(LIVING):
            week, place = divmod(number, each_week)
            day, slot = place % WEEK_DAYS, place // WEEK_DAYS
            begins = monday + timedelta(weeks=week, days=day, minutes=slot * 600 // (each_week // WEEK_DAYS))
            await store.appointments.create(of(person.id), f"Patient {number}", begins, 30, "nl")
        return await store.sessions.create(person.id)


async def answers(demo: Demo, cookie: str, looks: int) -> list[float]:
    today = datetime.now().astimezone().date()
    monday = today - timedelta(days=today.weekday())
    query = {"first": str(monday - timedelta(days=1)), "last": str(monday + timedelta(days=7))}
    took = []
    async with aiohttp.ClientSession(cookies={PLAIN: cookie}) as session:
        for _ in range(looks):
            began = time.perf_counter()
            async with session.get(f"{demo.origin}{API}/appointments", params=query) as answer:
                await answer.read()
            assert answer.status == 200, await answer.text()
            took.append((time.perf_counter() - began) * 1000)
    return took


async def paintings(browser: Browser, demo: Demo, cookie: str, looks: int) -> list[float]:
    took = []
    for _ in range(looks):
        person = await sit_down(browser, demo.port)
        await person.context.add_cookies([{"name": PLAIN, "value": cookie, "url": demo.origin}])
        await person.page.goto(f"{demo.origin}/desk")
        await person.page.locator("[data-appointment], [data-slot=day-empty]:visible").first.wait_for()
        took.append(await person.page.evaluate(PAINTED))
        await person.context.close()
    return took


async def measure(looks: int) -> str:
    lines = ["| a week at the desk | server: first | later | pressed until painted | reach |", "|---|---|---|---|---|"]
    for each_week in (A_WEEK, LIVING):
        with tempfile.TemporaryDirectory() as folder:
            demo = await start_demo(Path(folder) / "data")
            try:
                cookie = await furnish(demo, each_week)
                first, *later = await answers(demo, cookie, looks)
                async with chromium() as browser:
                    took = Took(first, later, await paintings(browser, demo, cookie, looks))
            finally:
                await demo.stop()
        name = f"{each_week:,} of {LIVING:,} living"
        lines.append(
            f"| {name} | {took.first:.0f} ms | {spread(took.later)} | {spread(took.painted)} | ≤ 60 ms; ≤ 500 ms |"
        )
    return "\n".join([*lines, "", f"Median (least–most) of {looks}."])


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.0f} ms ({min(values):.0f}–{max(values):.0f})"


def main() -> None:
    command("week", __doc__, measure, looks=10)


if __name__ == "__main__":
    main()
