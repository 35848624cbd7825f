"""How long nothing is heard when a network changes under a consult: two Chromium, the real pages, the demo.

    python -m bench.moving --rounds 5
    python -m bench.moving --only asleep --rounds 2

The patient's packets go through a network of their own (`bench/load/way.py`), the practitioner's straight to the relay.
Counted is what a loudspeaker would play: samples that were not made up, every 50 ms, on both sides.
"""

import asyncio
import os
import signal
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from playwright.async_api import Browser

from bench.command import command
from bench.host import machine, pressure
from bench.join import plan
from bench.load.lane import Conditions
from bench.load.way import Way
from tests.browser.conftest import Demo, Person, eventually, sit_down, start_demo
from tests.chromium import chromium

LISTEN = """
(() => {
  window.heard = [];
  setInterval(async () => {
    let real = 0;
    for (const connection of window.peerConnections) {
      if (connection.connectionState === 'closed') continue;
      for (const report of (await connection.getStats()).values()) {
        if (report.type === 'inbound-rtp' && report.kind === 'audio')
          real += (report.totalSamplesReceived ?? 0) - (report.concealedSamples ?? 0);
      }
    }
    window.heard.push([Date.now() / 1000, real]);
    if (window.heard.length > 4000) window.heard.shift();
  }, 50);
})();
"""

LEAD = """
((port) => {
  const set = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = async function (description) {
    await relayIsAt(Number(/ 127.0.0.1 (\\d+) typ host/.exec(description.sdp)[1]));
    const lines = description.sdp.split('\\r\\n').flatMap((line) => {
      if (!line.startsWith('a=candidate:')) return [line];
      return line.includes(' 127.0.0.1 ') ? [line.replace(/ 127.0.0.1 \\d+ typ/, ` 127.0.0.1 ${port} typ`)] : [];
    });
    return set.call(this, { type: description.type, sdp: lines.join('\\r\\n') });
  };
})(%d);
"""

SETTLE_SECONDS = 6.0
AFTERWARDS_SECONDS = 12.0
LEAST_REAL = 600
"""Samples in 50 ms (of 2,400) that are something heard."""

SOFT_GAP = 0.3
"""Seconds without sound that count as an interruption."""

BEGINS_WITHIN = 3.0
"""Seconds after what happened: a silence that begins later has another cause."""


@dataclass(frozen=True)
class Consult:
    practitioner: Person
    patient: Person
    way: Way
    patient_browser: set[int]


async def silence(person: Person, since: float) -> float:
    """Seconds from ``since`` until there was sound again; 0 if it never stopped, or stopped much later."""
    heard: list[tuple[float, float]] = await person.page.evaluate("window.heard")
    return first_silence(heard, since)


def first_silence(heard: list[tuple[float, float]], since: float) -> float:
    """Of samples (time, real ones so far), ascending."""
    quiet_since: float | None = None
    for (at, real), (after, more) in pairwise(heard):
        if after <= since:
            continue
        # A new connection counts from nothing.
        sounds = (more - real if more >= real else more) >= LEAST_REAL * (after - at) / 0.05
        if not sounds:
            quiet_since = max(at, since) if quiet_since is None else quiet_since
        elif quiet_since is not None and at - quiet_since > SOFT_GAP:
            return at - since
        else:
            quiet_since = None
        if quiet_since is None and at > since + BEGINS_WITHIN:
            return 0.0
    return 0.0 if quiet_since is None else float("inf")


async def rebound(consult: Consult) -> None:
    """A NAT forgot: other ports, as the relay sees it."""
    consult.way.rebind()


async def another_address(consult: Consult) -> None:
    """Another address too, of which the browser knows nothing (a mobile network's gateway)."""
    consult.way.rebind(source="127.0.0.9")


async def cut(consult: Consult) -> None:
    """Two seconds without any network, then the same one."""
    consult.way.cut()
    await asyncio.sleep(2)
    consult.way.cut(closed=False)


async def udp_blocked(consult: Consult) -> None:
    consult.way.udp_blocked = True


async def udp_again(consult: Consult) -> None:
    """After it was blocked for a while."""
    consult.way.udp_blocked = True
    await asyncio.sleep(AFTERWARDS_SECONDS)
    consult.way.udp_blocked = False


async def asleep(consult: Consult) -> None:
    """The patient's device sleeps for a minute."""
    for pid in consult.patient_browser:
        os.kill(pid, signal.SIGSTOP)
    await asyncio.sleep(60)
    for pid in consult.patient_browser:
        os.kill(pid, signal.SIGCONT)


def _descendants(pid: int) -> set[int]:
    found = set()
    for entry in Path("/proc").iterdir():
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        if parent == pid:
            found |= {int(entry.name), *_descendants(int(entry.name))}
    return found


@dataclass(frozen=True)
class Case:
    words: str
    happen: Callable[[Consult], Awaitable[None]]
    counted_from_its_end: bool = False


CASES = {
    "rebound": Case("a NAT gives another port", rebound),
    "address": Case("another address, unknown to the browser", another_address),
    "cut": Case("no network for 2 s, counted from its end", cut, counted_from_its_end=True),
    "tcp": Case("UDP is blocked", udp_blocked),
    "udp": Case("UDP is possible again", udp_again, counted_from_its_end=True),
    "asleep": Case("a device slept for 60 s, counted from its waking", asleep, counted_from_its_end=True),
}


@asynccontextmanager
async def consult(demo: Demo, one: Browser, other: Browser, processes: set[int]) -> AsyncIterator[Consult]:
    link = await plan(demo)
    async with Way(Conditions(delay=0.02), 1) as way:
        practitioner, patient = await sit_down(one, demo.port), await sit_down(other, demo.port)
        try:
            await patient.context.expose_function("relayIsAt", way.lead_to_port)
            await patient.context.add_init_script(LEAD % way.port)
            for person in (practitioner, patient):
                await person.context.add_init_script(LISTEN)
            await practitioner.page.goto(demo.practitioner_url)
            await patient.page.goto(link)
            await patient.find("join").click()
            await practitioner.find("admit").first.click()
            for person in (practitioner, patient):
                await person.call_state("connected")

            async def sound() -> bool:
                for person in (practitioner, patient):
                    heard = await person.page.evaluate("window.heard.slice(-20)")
                    if not heard or heard[-1][1] - heard[0][1] < 10 * LEAST_REAL:
                        return False
                return True

            await eventually(sound, "sound both ways")
            yield Consult(practitioner, patient, way, processes)
            await practitioner.find("leave").click()
        finally:
            for person in (practitioner, patient):
                await person.context.close()


async def measure(demo: Demo, browsers: tuple[Browser, Browser], processes: set[int], case: Case) -> list[float]:
    """Seconds without sound at the practitioner's, at the patient's."""
    async with consult(demo, *browsers, processes) as running:
        await asyncio.sleep(SETTLE_SECONDS)
        begun = time.time()
        await case.happen(running)
        since = time.time() if case.counted_from_its_end else begun
        await asyncio.sleep(AFTERWARDS_SECONDS)
        return [await silence(person, since) for person in (running.practitioner, running.patient)]


def table(results: dict[str, list[list[float]]]) -> str:
    lines = ["| what happens | silence at the practitioner's | at the patient's |", "|---|---|---|"]
    for name, rounds in results.items():
        cells = []
        for side in zip(*rounds, strict=True):
            cells.append(f"{statistics.median(side):.1f} s ({min(side):.1f}–{max(side):.1f})")
        lines.append(f"| {CASES[name].words} | {' | '.join(cells)} |")
    return "\n".join(lines)


async def measured(rounds: int, only: str) -> str:
    results: dict[str, list[list[float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        demo = await start_demo(Path(folder) / "data")
        try:
            async with chromium() as one:
                before = _descendants(os.getpid())
                async with chromium() as other:
                    processes = _descendants(os.getpid()) - before
                    for _ in range(rounds):
                        for name in [name for name in CASES if name in (only or ",".join(CASES)).split(",")]:
                            seconds = await measure(demo, (one, other), processes, CASES[name])
                            print(name, seconds, flush=True)
                            results.setdefault(name, []).append(seconds)
        finally:
            await demo.stop()
    waited = f"something waited for a processor {pressure('avg300'):.0f} % of the last 5 minutes"
    return f"{machine()}; {waited}.\n\n{table(results)}"


def main() -> None:
    command("moving", __doc__, measured, rounds=3, only="")


if __name__ == "__main__":
    main()
