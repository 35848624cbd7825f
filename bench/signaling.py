"""What signaling takes: 500 clients that come back at once, join requests, round trips and memory at 1,000 sockets.

Two nodes of the real server over one redis-server and one PostgreSQL (`bench.load.cluster`), nothing in between. Each
client is a WebSocket with the waits of a browser's page; they take processor time too, on the same cores. Those that
only wait are in a process of their own (`bench.load.crowd`), so that a round trip is the server's and not theirs.
"""

import asyncio
import itertools
import statistics
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from bench.command import command
from bench.host import machine, pressure
from bench.load import cluster
from bench.load import crowd as crowds
from bench.load.cluster import Cluster, Node
from bench.load.crowd import Crowd
from bench.load.processes import cpu_seconds
from bench.load.visitor import Refused, Visitor
from signaling.protocol.model import API
from tests.prove.figures import Figure, at_most, counted

BACK_SECONDS = 5.0
ROUND_TRIP_MS = 50.0
SOCKET_KIB = 60.0
AT_ONCE = 16


@dataclass(frozen=True)
class Load:
    """How many; ``seconds`` for each of the measurements that last."""

    returning: int = 500
    waiting: int = 1000
    seconds: float = 10.0
    storm: float = 2.0
    """Seconds in which those who return lose their connection, one after the other."""

    asking: int = 20
    """Those of the waiting whose round trips are measured, in a process that does nothing else."""

    warm_up: int = 50
    """Those that are there before memory is counted."""

    pinged: float = 6.0
    """Seconds in which every socket is asked whether it still lives, so that what that needs is counted too."""


async def storm(running: Cluster, load: Load) -> list[Figure]:
    """All clients lose their connection within a moment and come back to the other node."""
    urls = [node.url for node in running.nodes]
    crowd = Crowd(running.origin, running.planned, urls[0])
    try:
        await crowd.gather(load.returning, urls)
        lost: dict[str, float] = {}

        async def drop(number: int, visitor: Visitor) -> None:
            await asyncio.sleep(load.storm * number / load.returning)
            visitor.url = urls[(urls.index(visitor.url) + 1) % len(urls)]
            lost[visitor.id] = time.monotonic()
            visitor.drop()

        began = time.monotonic()
        await asyncio.gather(*(drop(number, one) for number, one in enumerate(crowd.visitors)))
        while any(one.back < lost[one.id] for one in crowd.visitors) and time.monotonic() < began + 60:  # noqa: ASYNC110 -- a sum of many
            await asyncio.sleep(0.02)
        each = sorted(one.back - lost[one.id] for one in crowd.visitors)
        beside = f"median {statistics.median(each):.2f}, counted from each one's loss; slowest {each[-1]:.2f}"
        last = max(one.back for one in crowd.visitors) - began - load.storm
        double = await doubles(running, crowd)
    finally:
        await crowd.close()
    counts = {1: "one node", 2: "two nodes"}
    what = f"{load.returning} clients drop and return within {load.storm:g} s, {counts[len(urls)]}"
    return [
        at_most(f"{what}: the last is back after", BACK_SECONDS, max(last, each[-1]), "s", beside),
        counted(f"{what}: in twice or not at all", double, load.returning, "clients"),
    ]


async def doubles(running: Cluster, crowd: Crowd) -> int:
    """People who are not in their waiting room exactly once, and sockets that are nobody's."""
    documents = await cluster.documents(running, [one.appointment for one in crowd.visitors])
    wrong = 0
    for one in crowd.visitors:
        there = [each.id for each in documents[one.appointment].participants if each.socket]
        wrong += there != [one.id]
    sockets = sum([await cluster.gauge(node, "spreekkamer_sockets") for node in running.nodes])
    return wrong + abs(int(sockets) - len(crowd.visitors))


async def joins(running: Cluster, load: Load) -> str:
    """A row: how many join requests one node answers in a second, with so many under way."""
    node = running.nodes[0]
    counts = dict.fromkeys(range(AT_ONCE), 0)
    until = time.monotonic() + load.seconds
    headers = {"Origin": running.origin}

    async def ask(number: int) -> None:
        async with aiohttp.ClientSession(headers=headers) as session:
            while time.monotonic() < until:
                link = running.planned[(number * 37 + counts[number]) % len(running.planned)].link
                async with session.post(f"{node.url}{API}/join", json={"link": link}) as answer:
                    await answer.read()
                    counts[number] += answer.status == 200

    began = time.monotonic()
    await asyncio.gather(*(ask(number) for number in counts))
    rate = sum(counts.values()) / (time.monotonic() - began)
    what = f"join requests on one node, Redis and PostgreSQL, {AT_ONCE} at once"
    return f"| {what} | printed | {rate:.0f} a second | - |"


async def waiting(running: Cluster, load: Load) -> list[Figure]:
    """Round trips and memory while so many wait on one node."""
    node = running.nodes[0]
    mine = running.planned[: load.asking]
    async with crowds.elsewhere(running.origin, node.url, running.planned[load.asking :]) as others:
        crowd = Crowd(running.origin, mine, node.url)
        try:
            await crowd.gather(load.asking, [node.url])
            await others.gather(load.warm_up)
            await asyncio.sleep(load.pinged)
            before = resident_kib(node)
            more = load.waiting - load.asking - load.warm_up
            await others.gather(more)
            await asyncio.sleep(load.pinged)
            each = (resident_kib(node) - before) / more
            asked = await ask(crowd, node, load.seconds)
            there = await others.end()
        finally:
            await crowd.close()
    beside = (
        f"p99; median {statistics.median(asked.times):.1f}, {len(asked.times):,} of them, "
        f"{asked.losses + there['losses']} connections lost meanwhile; the server took {asked.share:.0%} of a "
        f"processor; who asks was {asked.late:.1f} ms late (p99), the others' process {there['late']:.1f} ms"
    )
    p99 = crowds.percentile(asked.times, 0.99)
    return [
        at_most(f"signaling round trip with {load.waiting:,} waiting sockets", ROUND_TRIP_MS, p99, "ms", beside),
        at_most("memory per connected socket that waits", SOCKET_KIB, each, "KiB", f"RSS, {load.waiting:,} sockets"),
    ]


@dataclass(frozen=True)
class Asked:
    """``times`` of each round trip and ``late`` (p99 of this process's loop) in ms; ``share`` of a processor."""

    times: list[float]
    late: float
    share: float
    losses: int


async def ask(crowd: Crowd, node: Node, seconds: float) -> Asked:
    """One of the crowd after the other, a hundred times a second."""
    times: list[float] = []
    lateness, lost = crowds.Lateness(), crowd.losses
    watching = asyncio.create_task(lateness.watch())
    began, spent = time.monotonic(), cpu_seconds(node.process.pid)
    for number in itertools.count():
        if time.monotonic() >= began + seconds:
            break
        visitor = crowd.visitors[number % len(crowd.visitors)]
        asked = time.perf_counter()
        with suppress(Refused):  # it is connecting again
            await visitor.request("snapshot")
            times.append((time.perf_counter() - asked) * 1000)
        await asyncio.sleep(0.01)
    share = (cpu_seconds(node.process.pid) - spent) / (time.monotonic() - began)
    watching.cancel()
    return Asked(times, lateness.p99(), share, crowd.losses - lost)


def resident_kib(node: Node) -> int:
    """Resident set size of the server's process."""
    lines = Path(f"/proc/{node.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


async def table(running: Cluster, load: Load) -> list[str]:
    """Its rows."""
    rows = [figure.row() for figure in await storm(running, load)]
    rows.append(await joins(running, load))
    return rows + [figure.row() for figure in await waiting(running, load)]


async def measure(returning: int, waiting: int, seconds: float) -> str:
    """The whole table."""
    load = Load(returning, waiting, seconds)
    appointments = max(load.returning, load.waiting)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with cluster.running(Path(folder), media=1, appointments=appointments, doors=False) as running:
            rows = await table(running, load)
    busy = f"in the last 5 minutes something waited for a processor {pressure('avg300'):.0f} % of the time"
    head = ["| what | reach | reached | met |", "|---|---|---|---|"]
    return "\n".join([f"{datetime.now(UTC):%Y-%m-%d}; {machine()}; {busy}.", "", *head, *rows])


def main() -> None:
    command("signaling", __doc__, measure, returning=500, waiting=1000, seconds=10.0)


if __name__ == "__main__":
    main()
