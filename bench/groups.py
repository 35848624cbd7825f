"""What a forwarded packet costs in a group: our relay beside Janus' VideoRoom, same load, same minutes.

    python -m bench.groups --people 6,12 --rounds 1
    python -m bench.groups --write           all sizes, about 20 minutes; puts table and plot into bench/

One room in which all see all: everybody sends sound and three encodings of a camera, and gets of one of the others
the highest, of the rest the lowest.
"""

import argparse
import asyncio
from datetime import UTC, datetime
from functools import partial

from aiortc import RTCCertificate

from bench.command import draw, write
from bench.compared import (
    Figures,
    Key,
    Reach,
    installed,
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
from bench.load.generator import Generator
from bench.load.groups import fill_janus, fill_own
from bench.load.janus import video_room
from bench.load.person import Person
from bench.load.processes import cpu_seconds, memory_kib
from bench.load.targets import own_relay
from bench.plot import Line, Point, plot

WARM_UP_SECONDS = 4.0
TARGETS = {"own": "Spreekkamer", "janus": "Janus VideoRoom"}


async def measure(name: str, people: int, seconds: float, address: str, turn: int = 0) -> Figures:
    """Start the relay, fill a room, warm up, measure, stop."""
    certificate = RTCCertificate.generateCertificate()
    if name == "own":
        async with own_relay(address) as relay:
            persons = await fill_own(relay, certificate, address, people)
            return await _figures(name, people, relay.pid, persons, seconds, turn)
    async with video_room(address) as other:
        persons = await fill_janus(other, certificate, address, people)
        return await _figures(name, people, other.pid, persons, seconds, turn)


async def _figures(name: str, people: int, pid: int, persons: list[Person], seconds: float, turn: int) -> Figures:
    generator = Generator(persons)
    try:
        generator.run(WARM_UP_SECONDS)
        before = cpu_seconds(pid)
        run = generator.run(seconds)
        return Figures(name, people, run, cpu_seconds(pid) - before, memory_kib(pid), turn)
    finally:
        generator.close()
        for person in persons:
            await person.close()


async def compare(
    names: list[str], people: list[int], rounds: int, seconds: float, address: str, patience: float
) -> list[Figures]:
    """All relays at all sizes, one after another within each size, so that a busy minute hits all."""
    results = []
    for turn in range(rounds):
        for size in people:
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                await quiet(patience)
                figures = await measure(name, size, seconds, address, turn)
                results.append(figures)
                print(figures.line(TARGETS[name], "people"), flush=True)
    return results


def table(results: list[Figures]) -> str:
    """Markdown; of several rounds median and range."""
    lines = [
        "| relay | people | packets/s | CPU per packet | of Janus | latency p50 | p99 | lost |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, title in TARGETS.items():
        lines += [_row(results, name, title, size) for size in sizes(results) if of(results, name, size)]
    return "\n".join(lines)


def _row(results: list[Figures], name: str, title: str, size: int) -> str:
    def cell(key: Key, form: str, unit: str) -> str:
        found = middle(results, name, size, key)
        return found.cell(form, unit) if found else "-"

    beside = ratio(results, name, "janus", size, per_packet)
    lost = max(figures.run.lost for figures in of(results, name, size))
    cells = [title, str(size), cell(lambda it: it.run.received / it.run.seconds, ",.0f", "")]
    cells += [cell(per_packet, ".1f", " µs"), beside.cell(".2f") if beside else "-"]
    cells += [cell(lambda it: it.run.latency(0.5), ".2f", " ms"), cell(p99, ".2f", " ms"), str(lost)]
    return f"| {' | '.join(cells)} |"


def limits(results: list[Figures]) -> list[Reach]:
    """What was to be reached, where it was measured."""
    own = partial(ratio, results, "own", "janus")
    return [Reach(f"CPU per packet, {size} people, of Janus", own(size, per_packet), 0.6, ".2f") for size in (6, 12)]


def drawn(results: list[Figures]) -> str:
    """SVG: what a packet costs with ever more people."""
    lines = []
    for name, title in TARGETS.items():
        found = [(size, middle(results, name, size, per_packet)) for size in sizes(results)]
        points = [Point(size, cost.median, cost.least, cost.most) for size, cost in found if cost]
        if points:
            lines.append(Line(title, points))
    return plot("CPU time of a forwarded packet, one room", "people", "µs", lines)


def report(results: list[Figures]) -> str:
    waited = f"in the last 5 minutes something waited for a processor {pressure('avg300'):.0f} % of the time"
    rounds = 1 + max(figures.turn for figures in results)
    head = f"{datetime.now(UTC):%Y-%m-%d}; {machine()}; {waited}; rounds: {rounds}."
    picture = "![CPU time of a forwarded packet, by number of people in a room](plots/groups.svg)"
    return "\n".join([head, "", table(results), "", reached(limits(results)), "", picture])


async def run(arguments: argparse.Namespace) -> tuple[str, str]:
    """Table and plot."""
    names = installed(arguments.targets, TARGETS)
    people = [int(count) for count in arguments.people.split(",")]
    results = await compare(names, people, arguments.rounds, arguments.seconds, own_address(), arguments.patience)
    return report(results), drawn(results)


def main() -> None:
    options = parser("groups", __doc__, TARGETS)
    options.add_argument("--people", default="2,3,4,6,8,10,12", help="in the room; default %(default)s")
    arguments = options.parse_args()
    prefer_the_generator()
    text, picture = asyncio.run(run(arguments))
    print("\n" + text)
    if arguments.write:
        write(text, "groups")
        draw(picture, "groups")


if __name__ == "__main__":
    main()
