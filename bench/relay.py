"""What a forwarded packet costs: our relay beside Janus and aiortc, same load, same minutes.

    python -m bench.relay                    the whole table, about 8 minutes
    python -m bench.relay --rooms 20 --targets own,janus --rounds 1
    python -m bench.relay --write            the same, and put the table into bench/README.md

Everything runs on this host, over one of its own addresses; nothing leaves it.
"""

import argparse
import asyncio
import os
import platform
import re
import shutil
import socket
import statistics
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

from aiortc import RTCCertificate

from bench.load import script
from bench.load.generator import Generator, Run
from bench.load.person import Person
from bench.load.streams import FRAME_PACKETS
from bench.load.targets import Target, aiortc_relay, cpu_seconds, janus, memory_kib, own_relay

README = Path(__file__).parent / "README.md"
WARM_UP_SECONDS = 3.0
DISTURBED_MS = 1.0
"""If half of the packets left later than this, something else had the processor and the figures mean little."""

QUIET_PERCENT = 5.0

Start = Callable[[str], AbstractAsyncContextManager[Target]]

TARGETS: dict[str, tuple[str, Start]] = {
    "own": ("Spreekkamer", own_relay),
    "janus": ("Janus", janus),
    "janus-loop": ("Janus, one event loop", partial(janus, event_loops=1)),
    "aiortc": ("aiortc MediaRelay", aiortc_relay),
}


@dataclass(frozen=True)
class Figures:
    """Of one target with so many rooms in one round."""

    target: str
    rooms: int
    run: Run
    cpu_seconds: float
    memory_kib: int

    @property
    def per_packet(self) -> float:
        """Microseconds of CPU time per packet that arrived."""
        return self.cpu_seconds / max(1, self.run.received) * 1e6

    @property
    def disturbed(self) -> bool:
        late = self.run.lateness
        return not late or late[len(late) // 2] / 1e6 > DISTURBED_MS


async def measure(name: str, rooms: int, seconds: float, address: str) -> Figures:
    """Start the target, fill the rooms, warm up, measure, stop."""
    certificate = RTCCertificate.generateCertificate()
    async with TARGETS[name][1](address) as target:
        persons = [Person(certificate, address, echo=target.echo) for _ in range(2 * rooms)]
        try:
            answers = [
                await target.answer(number // 2, number, person.offer()) for number, person in enumerate(persons)
            ]
            await asyncio.gather(*(person.connect(answer) for person, answer in zip(persons, answers, strict=True)))
            if target.decodes:
                for person in persons:
                    person.stamped = False
                frames = {"video": script.video(FRAME_PACKETS), "audio": script.audio()}
                for stream in (stream for person in persons for stream in person.out):
                    stream.script = frames[stream.kind]
            generator = Generator(persons)
            try:
                generator.run(WARM_UP_SECONDS)
                before = cpu_seconds(target.pid)
                run = generator.run(seconds)
                return Figures(name, rooms, run, cpu_seconds(target.pid) - before, memory_kib(target.pid))
            finally:
                generator.close()
        finally:
            for person in persons:
                await person.close()


async def compare(
    names: list[str], rooms: list[int], rounds: int, seconds: float, address: str, patience: float
) -> list[Figures]:
    """All targets at all sizes, one after another within each size, so that a busy minute hits all."""
    results = []
    for turn in range(rounds):
        for count in rooms:
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                if name == "aiortc" and count > 5:
                    continue  # it does not keep up with one room per core
                await quiet(patience)
                figures = await measure(name, count, seconds, address)
                results.append(figures)
                print(_line(figures), flush=True)
    return results


def _line(figures: Figures) -> str:
    run = figures.run
    return (
        f"{TARGETS[figures.target][0]:22} {figures.rooms:3} rooms  {run.received / run.seconds:6.0f} packets/s  "
        f"{figures.per_packet:6.1f} us  p50 {run.latency(0.5):6.2f} ms  p99 {run.latency(0.99):6.2f} ms  "
        f"lost {run.lost}  {figures.memory_kib / 1024:.1f} MiB" + ("  (disturbed)" if figures.disturbed else "")
    )


def table(results: list[Figures]) -> str:
    """Markdown; of several rounds the median of each figure, those of disturbed rounds only if there are no others."""
    lines = [
        "| relay | rooms | packets/s | CPU per packet | of Janus | latency p50 | p99 | lost |",
        "|---|---|---|---|---|---|---|---|",
    ]
    sizes = sorted({figures.rooms for figures in results})
    costs = {(name, size): _median(results, name, size, lambda it: it.per_packet) for name in TARGETS for size in sizes}
    for name, (title, _) in TARGETS.items():
        for size in sizes:
            cost = costs[name, size]
            if cost is None:
                continue
            beside = costs["janus", size]
            chosen = partial(_median, results, name, size)
            p50, p99 = chosen(lambda it: it.run.latency(0.5)), chosen(lambda it: it.run.latency(0.99))
            rate = chosen(lambda it: it.run.received / it.run.seconds)
            lost = max(it.run.lost for it in results if (it.target, it.rooms) == (name, size))
            decodes = name == "aiortc"
            ratio = f"{cost / beside:.2f}" if beside else "-"
            latency = "- | - | -" if decodes else f"{p50:.2f} ms | {p99:.1f} ms | {lost}"
            lines.append(f"| {title} | {size} | {rate:,.0f} | {cost:.1f} µs | {ratio} | {latency} |")
    return "\n".join(lines)


def _median(results: list[Figures], name: str, rooms: int, key: Callable[[Figures], float]) -> float | None:
    chosen = [figures for figures in results if (figures.target, figures.rooms) == (name, rooms)]
    undisturbed = [figures for figures in chosen if not figures.disturbed]
    return statistics.median(map(key, undisturbed or chosen)) if chosen else None


def memory_per_room(results: list[Figures], name: str) -> float | None:
    """KiB that each room more takes, from the smallest to the largest number of rooms."""
    sizes = sorted({figures.rooms for figures in results if figures.target == name})
    if len(sizes) < 2:
        return None
    ends = [_median(results, name, size, lambda it: it.memory_kib) or 0.0 for size in (sizes[0], sizes[-1])]
    return (ends[1] - ends[0]) / (sizes[-1] - sizes[0])


async def quiet(patience: float) -> None:
    """Wait until hardly anything waits for a processor, but not for ever."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    while pressure("avg10") >= QUIET_PERCENT and loop.time() < deadline:  # noqa: ASYNC110 - the kernel has no event
        await asyncio.sleep(1)


def pressure(window: str) -> float:
    """Percent of the time in which something waited for a processor; 0 where Linux does not say."""
    with suppress(OSError):
        found = re.search(rf"{window}=([0-9.]+)", Path("/proc/pressure/cpu").read_text())
        return float(found[1]) if found else 0.0
    return 0.0


def machine() -> str:
    """Processor, cores, kernel, versions."""
    model = "unknown processor"
    with suppress(OSError):
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
        model = found[1] if found else model
    return (
        f"{os.cpu_count()} cores ({model}), Linux {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, aiortc {version('aiortc')}"
    )


def own_address() -> str:
    """An address of this host that is not loopback: Janus has no candidates on loopback. No packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("192.0.2.1", 9))
        return str(sock.getsockname()[0])


def report(results: list[Figures], soak: Figures | None) -> str:
    waited = f"in the last 5 minutes something waited for a processor {pressure('avg300'):.0f} % of the time"
    text = [f"{datetime.now(UTC):%Y-%m-%d}; {machine()}; {waited}.", "", table(results), ""]
    for name, (title, _) in TARGETS.items():
        slope = memory_per_room(results, name)
        if slope is not None and name != "aiortc":
            text.append(f"- Memory for each room more, {title}: {slope / 1024:.2f} MiB.")
    if soak:
        run = soak.run
        text.append(
            f"- {soak.rooms} rooms for {run.seconds:.0f} s: {run.received:,} packets forwarded, {run.lost} lost, "
            f"latency p50 {run.latency(0.5):.2f} ms, p99 {run.latency(0.99):.1f} ms."
        )
    return "\n".join(text)


def write(text: str, name: str = "relay") -> None:
    """Replace what stands between the marks of ``name`` in the README."""
    pattern = re.compile(rf"(<!-- {name}: begin -->\n).*(<!-- {name}: end -->)", re.DOTALL)
    README.write_text(pattern.sub(lambda found: f"{found[1]}{text}\n{found[2]}", README.read_text()))


async def run(arguments: argparse.Namespace) -> str:
    names = [name for name in arguments.targets.split(",") if name in TARGETS]
    if shutil.which("janus") is None:
        names = [name for name in names if not name.startswith("janus")]
        print("janus is not installed: left out", file=sys.stderr)
    rooms = [int(count) for count in arguments.rooms.split(",")]
    address = own_address()
    results = await compare(names, rooms, arguments.rounds, arguments.seconds, address, arguments.patience)
    soak = await measure("own", max(rooms), arguments.soak, address) if arguments.soak and "own" in names else None
    return report(results, soak)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.relay", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--targets", default=",".join(TARGETS), help="some of: %(default)s")
    parser.add_argument("--rooms", default="1,5,10,20", help="rooms of two people; default %(default)s")
    parser.add_argument("--rounds", type=int, default=2, help="default %(default)s")
    parser.add_argument("--seconds", type=float, default=10.0, help="measured in each run; default %(default)s")
    parser.add_argument("--soak", type=float, default=60.0, help="seconds of the last run, for losses; 0 for none")
    parser.add_argument("--patience", type=float, default=60.0, help="seconds to wait for a quiet host before each run")
    parser.add_argument("--write", action="store_true", help="put the result into bench/README.md")
    arguments = parser.parse_args()
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -15)
    text = asyncio.run(run(arguments))
    print("\n" + text)
    if arguments.write:
        write(text)


if __name__ == "__main__":
    main()
