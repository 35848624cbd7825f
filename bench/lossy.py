"""What two Chromium see and hear of each other through a bad network: our relay beside Janus, the same seeds.

    python -m bench.lossy --seconds 60 --rounds 1
    python -m bench.lossy --write

Each of the two has a network of its own (`bench/load/way.py`) both ways: 5 % of all packets lost, 50 ms late, and up
to 20 ms more or less. So what one says crosses two of them. They speak: of beeps nothing is corrected.

"with patience": the page waits longer for pictures that stand still, as ours does (`web/static/client/patience.js`).
"""

import asyncio
import statistics
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from playwright.async_api import Browser, Page

from bench.command import command
from bench.host import machine, own_address, pressure
from bench.load.janus import janus
from bench.load.lane import Conditions
from bench.load.speech import write_speech
from bench.load.targets import Target, own_relay
from bench.load.way import Way
from tests.chromium import chromium

BAD = Conditions(loss=0.05, delay=0.050, jitter=0.020)
GOOD = Conditions()
PAGE = Path(__file__).parents[1] / "tests" / "media" / "page.js"
MEASURE = Path(__file__).parent / "load" / "measure.js"
PATIENCE = Path(__file__).parents[1] / "web" / "static" / "client" / "patience.js"
WAIT = """
setInterval(async () => {
  const reports = [...(await connection.getStats()).values()];
  wait(connection, reports.filter(({type}) => type === 'inbound-rtp'));
}, 2000);
"""
SETTLE_SECONDS = 15.0
WIDTH, HEIGHT = 640, 360


@dataclass(frozen=True)
class Caller:
    """A page in a call, and the network between it and the relay."""

    page: Page
    way: Way

    async def counts(self) -> dict[str, float]:
        seen: dict[str, float] = await self.page.evaluate("counts()")
        return seen


@asynccontextmanager
async def origin() -> AsyncIterator[str]:
    """An empty page on loopback, which is a secure context."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><link rel=icon href=data:,><body>", content_type="text/html")

    application = web.Application()
    application.router.add_get("/", page)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def callers(
    browser: Browser, target: Target, conditions: tuple[Conditions, Conditions], size: tuple[int, int] = (WIDTH, HEIGHT)
) -> AsyncIterator[list[Caller]]:
    """Two people in a call, each through a network of their own, which has the same seeds each time."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(origin())
        people = []
        for number, own in enumerate(conditions):
            way = await stack.enter_async_context(Way(own, seed=number + 1))
            page = await browser.new_page()
            stack.push_async_callback(page.close)

            async def offer(sdp: str, _lines: object, number: int = number, way: Way = way) -> str:
                return way.through(await target.answer(0, number, sdp), ("udp",))

            await page.expose_function("offerToRelay", offer)
            await page.goto(url)
            for script in (PAGE, MEASURE):
                await page.add_script_tag(path=script)
            await page.evaluate(f"{'echo' if target.echo else 'join'}{size}")
            people.append(Caller(page, way))
        yield people


@dataclass(frozen=True)
class Figures:
    """What one person saw and heard; shares of the time."""

    still: float
    concealed: float
    frames: float
    kilobits: float
    audio_wait: float

    @classmethod
    def between(cls, before: dict[str, float], after: dict[str, float]) -> "Figures":
        def more(name: str) -> float:
            return after[name] - before[name]

        seconds = more("at")
        return cls(
            still=more("frozen") / seconds,
            concealed=more("concealed") / max(1.0, more("samples")),
            frames=more("frames") / seconds,
            kilobits=more("videoOctets") * 8 / 1_000 / seconds,
            audio_wait=more("audioWait") / max(1.0, more("audioWaited")),
        )


async def measure(
    browser: Browser,
    start: Callable[[str], AbstractAsyncContextManager[Target]],
    conditions: tuple[Conditions, Conditions],
    seconds: float,
    patient: bool,
) -> list[Figures]:
    """Both people's figures."""
    async with start(own_address()) as target, callers(browser, target, conditions) as people:
        for person in people if patient else ():
            await person.page.add_script_tag(content=PATIENCE.read_text() + WAIT, type="module")
        await asyncio.sleep(SETTLE_SECONDS)
        before = [await person.counts() for person in people]
        await asyncio.sleep(seconds)
        after = [await person.counts() for person in people]
        return [Figures.between(*pair) for pair in zip(before, after, strict=True)]


RELAYS: dict[str, tuple[Callable[[str], AbstractAsyncContextManager[Target]], bool]] = {
    "Spreekkamer, with patience": (own_relay, True),
    "Spreekkamer": (own_relay, False),
    "Janus": (janus, False),
}
NETWORKS = {"both": (BAD, BAD), "one of the two": (BAD, GOOD)}


def table(results: list[tuple[str, str, Figures]]) -> str:
    """Markdown: median of all people and rounds, and their range."""
    lines = [
        "| relay | bad network | picture still | sound concealed | frames a second | picture | sound waits |",
        "|---|---|---|---|---|---|---|",
    ]

    def cell(values: list[float], shape: str) -> str:
        low, middle, high = min(values), statistics.median(values), max(values)
        return f"{shape.format(middle)} ({shape.format(low)}–{shape.format(high)})"

    for relay, network in dict.fromkeys((relay, network) for relay, network, _ in results):
        chosen = [figures for name, where, figures in results if (name, where) == (relay, network)]
        cells = [
            cell([100 * figures.still for figures in chosen], "{:.1f} %"),
            cell([100 * figures.concealed for figures in chosen], "{:.1f} %"),
            cell([figures.frames for figures in chosen], "{:.0f}"),
            cell([figures.kilobits for figures in chosen], "{:,.0f} kbit/s"),
            cell([1_000 * figures.audio_wait for figures in chosen], "{:.0f} ms"),
        ]
        lines.append(f"| {relay} | {network} | {' | '.join(cells)} |")
    return "\n".join(lines)


async def measured(rounds: int, seconds: float) -> str:
    results = []
    with tempfile.TemporaryDirectory() as folder:
        speech = Path(folder) / "speech.wav"
        write_speech(speech)
        async with chromium(f"--use-file-for-fake-audio-capture={speech}") as browser:
            for _ in range(rounds):
                for network, conditions in NETWORKS.items():
                    for relay, (start, patient) in RELAYS.items():
                        for figures in await measure(browser, start, conditions, seconds, patient):
                            results.append((relay, network, figures))
                            print(relay, network, figures, flush=True)
    waited = f"something waited for a processor {pressure('avg300'):.0f} % of the last 5 minutes"
    return f"{machine()}; {waited}.\n\n{table(results)}"


def main() -> None:
    command("lossy", __doc__, measured, rounds=1, seconds=60.0)


if __name__ == "__main__":
    main()
