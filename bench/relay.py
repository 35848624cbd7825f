"""What a forwarded packet costs: our relay beside release 0.1.0, Janus and aiortc, same load, same minutes.

    python -m bench.relay                    the whole table, about 25 minutes
    python -m bench.relay --rooms 20 --targets own,janus --rounds 1
    python -m bench.relay --write            the same, and put tables and plot into bench/

Everything runs on this host, over one of its own addresses; nothing leaves it.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from functools import partial

from aiortc import RTCCertificate

from bench.command import draw, write
from bench.compared import (
    Figures,
    Key,
    Reach,
    Spread,
    installed,
    memory_per_room,
    middle,
    of,
    p99,
    parser,
    per_packet,
    ratio,
    reached,
    sizes,
)
from bench.host import machine, own_address, prefer_the_generator, pressure, quiet
from bench.load import script
from bench.load.generator import Generator
from bench.load.janus import janus
from bench.load.person import Person
from bench.load.processes import cpu_seconds, memory_kib
from bench.load.streams import FRAME_PACKETS
from bench.load.targets import Target, aiortc_relay, earlier_relay, own_relay
from bench.plot import Line, Point, plot
from tests.earlier import RELEASE_0_1_0, known

WARM_UP_SECONDS = 3.0
_AIORTC_ROOMS = 5

Start = Callable[[str], AbstractAsyncContextManager[Target]]

TARGETS: dict[str, tuple[str, Start]] = {
    "own": ("Spreekkamer", own_relay),
    "pump": ("Spreekkamer, pump", partial(own_relay, pump="native")),
    "0.1.0": ("Spreekkamer 0.1.0", earlier_relay),
    "janus": ("Janus", janus),
    "janus-loop": ("Janus, one event loop", partial(janus, event_loops=1)),
    "aiortc": ("aiortc MediaRelay", aiortc_relay),
}
ONCE = ("janus-loop", "aiortc")
"""Beside the others in the first round only: they are no part of a ratio."""


async def measure(name: str, rooms: int, seconds: float, address: str, turn: int = 0) -> Figures:
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
                return Figures(name, rooms, run, cpu_seconds(target.pid) - before, memory_kib(target.pid), turn)
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
                if name in ONCE and (turn or (name == "aiortc" and count > _AIORTC_ROOMS)):
                    continue
                await quiet(patience)
                figures = await measure(name, count, seconds, address, turn)
                results.append(figures)
                print(figures.line(TARGETS[figures.target][0], "rooms"), flush=True)
    return results


def table(results: list[Figures]) -> str:
    """Markdown; of several rounds median and range, those of disturbed rounds only if there are no others."""
    lines = [
        "| relay | rooms | packets/s | CPU per packet | of 0.1.0 | of Janus | latency p50 | p99 | lost |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, (title, _) in TARGETS.items():
        lines += [_row(results, name, title, size) for size in sizes(results) if of(results, name, size)]
    return "\n".join(lines)


def _row(results: list[Figures], name: str, title: str, size: int) -> str:
    def cell(key: Key, form: str, unit: str) -> str:
        found = middle(results, name, size, key)
        return found.cell(form, unit) if found else "-"

    def beside(other: str) -> str:
        found = ratio(results, name, other, size, per_packet)
        return found.cell(".2f") if found else "-"

    rate = middle(results, name, size, lambda it: it.run.received / it.run.seconds)
    cells = [title, str(size), f"{rate.median:,.0f}" if rate else "-", cell(per_packet, ".1f", " µs")]
    cells += [beside("0.1.0"), beside("janus")]
    if name == "aiortc":
        cells += ["-"] * 3
    else:
        lost = max(figures.run.lost for figures in of(results, name, size))
        cells += [cell(lambda it: it.run.latency(0.5), ".2f", " ms"), cell(p99, ".2f", " ms"), str(lost)]
    return f"| {' | '.join(cells)} |"


def limits(results: list[Figures]) -> list[Reach]:
    """What was to be reached, where it was measured."""
    own = partial(ratio, results, "own")
    slope = memory_per_room(results, "own")
    memory = None if slope is None else Spread(*[slope / 1024] * 3)
    return [
        Reach("CPU per packet, 20 rooms, of 0.1.0", own("0.1.0", 20, per_packet), 0.85, ".2f"),
        Reach("CPU per packet, 20 rooms, of Janus", own("janus", 20, per_packet), 0.6, ".2f"),
        Reach("p99 of latency, 20 rooms, of 0.1.0", own("0.1.0", 20, p99), 0.5, ".2f"),
        Reach("p99 of latency, 20 rooms, of Janus", own("janus", 20, p99), 1.0, ".2f"),
        Reach("memory of each room more", memory, 0.8, ".2f", " MiB"),
    ]


def drawn(results: list[Figures]) -> str:
    """SVG: what a packet costs with ever more rooms."""
    lines = []
    for name in ("own", "0.1.0", "janus"):
        found = [(size, middle(results, name, size, per_packet)) for size in sizes(results)]
        points = [Point(size, cost.median, cost.least, cost.most) for size, cost in found if cost]
        if points:
            lines.append(Line(TARGETS[name][0], points))
    return plot("CPU time of a forwarded packet, rooms of two", "rooms", "µs", lines)


def report(results: list[Figures], soak: Figures | None) -> str:
    waited = f"in the last 5 minutes something waited for a processor {pressure('avg300'):.0f} % of the time"
    rounds = 1 + max(figures.turn for figures in results)
    text = [f"{datetime.now(UTC):%Y-%m-%d}; {machine()}; {waited}; rounds: {rounds}.", ""]
    text += [table(results), "", reached(limits(results)), ""]
    for name, (title, _) in TARGETS.items():
        slope = memory_per_room(results, name)
        if slope is not None and name != "aiortc":
            text.append(f"- Memory for each room more, {title}: {slope / 1024:.2f} MiB.")
    if soak:
        run = soak.run
        text.append(
            f"- {soak.size} rooms for {run.seconds:.0f} s: {run.received:,} packets forwarded, {run.lost} lost, "
            f"latency p50 {run.latency(0.5):.2f} ms, p99 {run.latency(0.99):.1f} ms."
        )
    text += ["", "![CPU time of a forwarded packet, by number of rooms of two](plots/relay.svg)"]
    return "\n".join(text)


async def run(arguments: argparse.Namespace) -> tuple[str, str]:
    """Tables and plot."""
    names = installed(arguments.targets, TARGETS)
    if not known(RELEASE_0_1_0):
        names = [name for name in names if name != "0.1.0"]
        print("0.1.0 is not in this clone's history: left out", file=sys.stderr)
    rooms = [int(count) for count in arguments.rooms.split(",")]
    address = own_address()
    results = await compare(names, rooms, arguments.rounds, arguments.seconds, address, arguments.patience)
    soak = await measure("own", max(rooms), arguments.soak, address) if arguments.soak and "own" in names else None
    return report(results, soak), drawn(results)


def main() -> None:
    options = parser("relay", __doc__, TARGETS)
    options.add_argument("--rooms", default="1,5,10,20,40", help="rooms of two people; default %(default)s")
    options.add_argument("--soak", type=float, default=60.0, help="seconds of the last run, for losses; 0 for none")
    arguments = options.parse_args()
    prefer_the_generator()
    text, picture = asyncio.run(run(arguments))
    print("\n" + text)
    if arguments.write:
        write(text, "relay")
        draw(picture, "relay")


if __name__ == "__main__":
    main()
