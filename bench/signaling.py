"""What signaling takes: 500 clients that come back at once, join requests, round trips and memory at 1,000 sockets.

Two nodes of the real server over one redis-server and one PostgreSQL (`bench.load.cluster`). The clients are in this
process, each a WebSocket with the waits of a browser's page; they take processor time too, on the same cores.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from bench.load import cluster
from bench.load.cluster import Clerk, Cluster, Node
from bench.load.visitor import Refused, Visitor
from bench.relay import machine, pressure, write
from signaling.protocol.model import API
from tests.prove.figures import Figure, at_most, counted

STORM_SECONDS = 2.0
BACK_SECONDS = 5.0
ROUND_TRIP_MS = 50.0
SOCKET_KIB = 60.0
AT_ONCE = 16
WARM_UP = 50
PINGED = 6.0
"""Seconds in which every socket is asked whether it still lives, so that what that needs is counted too."""


@dataclass(frozen=True)
class Load:
    """How many; ``seconds`` for each of the measurements that last."""

    returning: int = 500
    waiting: int = 1000
    seconds: float = 10.0


class Crowd:
    """Patients of as many appointments, each in a waiting room and with an address of its own."""

    def __init__(self, running: Cluster) -> None:
        self.visitors: list[Visitor] = []
        self._running = running
        self._sessions: list[aiohttp.ClientSession] = []
        self._clerk = Clerk(running.origin, API, running.nodes[0].url)

    async def gather(self, count: int, nodes: list[Node]) -> None:
        """So many more, on each of the nodes in turn."""
        many = asyncio.Semaphore(AT_ONCE)

        async def one(number: int) -> None:
            planned = self._running.planned[number]
            address, origin = nodes[number % len(nodes)].url, self._running.origin
            own = f"127.1.{number // 250}.{number % 250 + 1}"
            session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=(own, 0)))
            self._sessions.append(session)
            visitor = Visitor(session, address, origin, planned.id, lambda: self._clerk.join(planned.link))
            self.visitors.append(visitor)
            async with many:
                while not visitor.view:
                    await visitor.open(60)
                    with suppress(Refused):  # it was lost on the way and connects again
                        await visitor.arrive()

        begin = len(self.visitors)
        await asyncio.gather(*(one(number) for number in range(begin, begin + count)))

    async def close(self) -> None:
        await asyncio.gather(*(visitor.close() for visitor in self.visitors))
        await asyncio.gather(*(session.close() for session in self._sessions))
        await self._clerk.close()


async def storm(running: Cluster, load: Load) -> list[Figure]:
    """All clients lose their connection within two seconds and come back to the other node."""
    crowd = Crowd(running)
    try:
        await crowd.gather(load.returning, running.nodes)
        urls = [node.url for node in running.nodes]
        lost: dict[str, float] = {}

        async def drop(number: int, visitor: Visitor) -> None:
            await asyncio.sleep(STORM_SECONDS * number / load.returning)
            visitor.url = urls[(urls.index(visitor.url) + 1) % len(urls)]
            lost[visitor.id] = time.monotonic()
            visitor.drop()

        began = time.monotonic()
        await asyncio.gather(*(drop(number, one) for number, one in enumerate(crowd.visitors)))
        while any(one.back < lost[one.id] for one in crowd.visitors) and time.monotonic() < began + 60:  # noqa: ASYNC110 -- a sum of many
            await asyncio.sleep(0.02)
        each = sorted(one.back - lost[one.id] for one in crowd.visitors)
        beside = f"median {statistics.median(each):.2f}, counted from each one's loss; slowest {each[-1]:.2f}"
        last = max(one.back for one in crowd.visitors) - began - STORM_SECONDS
        double = await doubles(running, crowd)
    finally:
        await crowd.close()
    what = f"{load.returning} clients drop and return within {STORM_SECONDS:g} s, two nodes"
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
    node, crowd = running.nodes[0], Crowd(running)
    try:
        await crowd.gather(WARM_UP, [node])
        await asyncio.sleep(PINGED)
        before = resident_kib(node)
        await crowd.gather(load.waiting - WARM_UP, [node])
        await asyncio.sleep(PINGED)
        each = (resident_kib(node) - before) / (load.waiting - WARM_UP)
        times: list[float] = []
        until = time.monotonic() + load.seconds
        while time.monotonic() < until:
            visitor = crowd.visitors[len(times) * 37 % len(crowd.visitors)]
            began = time.perf_counter()
            with suppress(Refused):  # it is connecting again
                await visitor.request("snapshot")
                times.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(0.01)
        lost = sum(visitor.losses for visitor in crowd.visitors)
    finally:
        await crowd.close()
    times.sort()
    p99 = times[int(len(times) * 0.99)]
    beside = f"p99; median {statistics.median(times):.1f}, {len(times):,} of them, {lost} connections lost meanwhile"
    return [
        at_most(f"signaling round trip with {load.waiting:,} waiting sockets", ROUND_TRIP_MS, p99, "ms", beside),
        at_most("memory per connected socket that waits", SOCKET_KIB, each, "KiB", f"RSS, {load.waiting:,} sockets"),
    ]


def resident_kib(node: Node) -> int:
    """Resident set size of the server's process."""
    lines = Path(f"/proc/{node.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


async def measure(load: Load) -> str:
    """The whole table."""
    appointments = max(load.returning, load.waiting)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with cluster.running(Path(folder), media=1, appointments=appointments) as running:
            rows = [figure.row() for figure in await storm(running, load)]
            rows.append(await joins(running, load))
            rows += [figure.row() for figure in await waiting(running, load)]
    busy = f"in the last 5 minutes something waited for a processor {pressure('avg300'):.0f} % of the time"
    head = ["| what | reach | reached | met |", "|---|---|---|---|"]
    return "\n".join([f"{datetime.now(UTC):%Y-%m-%d}; {machine()}; {busy}.", "", *head, *rows])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--returning", type=int, default=500)
    arguments.add_argument("--waiting", type=int, default=1000)
    arguments.add_argument("--seconds", type=float, default=10.0)
    arguments.add_argument("--write", action="store_true", help="put the table into bench/README.md")
    chosen = arguments.parse_args()
    text = asyncio.run(measure(Load(chosen.returning, chosen.waiting, chosen.seconds)))
    print(text)
    if chosen.write:
        write(text, "signaling")


if __name__ == "__main__":
    main()
