"""How soon a consult fits a line that becomes thin, and fills it again: two Chromium at 720p, our relay.

    python -m bench.thin --rounds 3

After half a minute one of the two has 300 kbit/s each way for 30 s, with a queue of 0.3 s. *Adapted* is when what is
sent down that line has come to no more than it carries, and stays so; *recovered* when three quarters of the picture's
bits before are there again. A picture that is paused has adapted.
"""

import asyncio
import statistics
from dataclasses import dataclass

from playwright.async_api import Browser

from bench.command import command
from bench.host import machine, own_address, pressure
from bench.load.lane import Conditions, Lane
from bench.load.targets import own_relay
from bench.lossy import Caller, callers
from tests.chromium import chromium

RATE = 300_000
FREE = Conditions(delay=0.020)
THIN = Conditions(delay=0.020, rate=RATE)
BEFORE_SECONDS, THIN_SECONDS, AFTER_SECONDS = 30.0, 30.0, 40.0
STEP = 0.5
STAYS = 3.0
TOLERANCE = 1.1
RECOVERED = 0.75


@dataclass(frozen=True)
class Figures:
    """Seconds; infinite where it did not happen in the time that is looked at."""

    down: float
    up: float
    recovered: float


async def rates(person: Caller, seconds: float) -> list[tuple[float, float, float]]:
    """Each half second: bit/s into the line down and up, and of the picture that was received."""
    way, found = person.way, []
    before = (way.down.octets, way.up.octets, (await person.counts())["videoOctets"])
    for _ in range(int(seconds / STEP)):
        await asyncio.sleep(STEP)
        now = (way.down.octets, way.up.octets, (await person.counts())["videoOctets"])
        down, up, picture = ((one - other) * 8 / STEP for one, other in zip(now, before, strict=True))
        found.append((down, up, picture))
        before = now
    return found


def settled(values: list[float], good: float, *, below: bool) -> float:
    """Seconds until all values of the next three seconds are on that side of ``good`` on average."""
    steps = int(STAYS / STEP)
    for index in range(len(values) - steps):
        mean = statistics.mean(values[index : index + steps])
        if (mean <= good) is below:
            return index * STEP
    return float("inf")


def limit(lanes: tuple[Lane, Lane], conditions: Conditions) -> None:
    for lane in lanes:
        lane.conditions = conditions


async def measure(browser: Browser) -> Figures:
    async with (
        own_relay(own_address()) as target,
        callers(browser, target, (FREE, FREE), (1_280, 720)) as (one, _),
    ):
        await asyncio.sleep(BEFORE_SECONDS - 5)
        usual = statistics.mean(picture for _, _, picture in await rates(one, 5))
        lanes = (one.way.up, one.way.down)
        limit(lanes, THIN)
        thin = await rates(one, THIN_SECONDS)
        limit(lanes, FREE)
        after = await rates(one, AFTER_SECONDS)
        print(f"usual {usual:,.0f}", [f"{down / 1000:.0f}" for down, _, _ in thin + after], flush=True)
        return Figures(
            down=settled([down for down, _, _ in thin], RATE * TOLERANCE, below=True),
            up=settled([up for _, up, _ in thin], RATE * TOLERANCE, below=True),
            recovered=settled([picture for _, _, picture in after], RECOVERED * usual, below=False),
        )


async def measured(rounds: int) -> str:
    async with chromium() as browser:
        results = [await measure(browser) for _ in range(rounds)]
    lines = ["| what | reach | measured |", "|---|---|---|"]
    for words, reach, values in (
        ("what comes fits 300 kbit/s", "≤ 3 s", [figures.down for figures in results]),
        ("what goes fits 300 kbit/s", "≤ 3 s", [figures.up for figures in results]),
        ("the picture that comes is as good as before", "≤ 15 s", [figures.recovered for figures in results]),
    ):
        lines.append(f"| {words} | {reach} | {statistics.median(values):.1f} s ({min(values):.1f}–{max(values):.1f}) |")
    waited = f"something waited for a processor {pressure('avg300'):.0f} % of the last 5 minutes"
    return f"{machine()}; {waited}.\n\n" + "\n".join(lines)


def main() -> None:
    command("thin", __doc__, measured, rounds=3)


if __name__ == "__main__":
    main()
