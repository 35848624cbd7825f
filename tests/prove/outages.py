"""Redis or the database away from all nodes: consults go on, newcomers are told to try again, all heals by itself."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
from redis.asyncio import Redis

from bench.load import cluster
from bench.load.clerk import Clerk
from bench.load.cluster import Cluster
from bench.load.consults import Running
from bench.load.door import eventually
from signaling.protocol.model import API
from tests.prove.figures import Figure, Size, at_most, counted
from tests.prove.nodes import SETTLE, losses

AWAY_SECONDS = 4.0
HEALED_SECONDS = 20
"""Pages wait up to 6 s between two tries when several have failed."""
ANSWER_SECONDS = 8.0
HONEST = frozenset({"try_again", "welcome"})

Deed = Callable[[Cluster], Awaitable[None]]


@dataclass(frozen=True)
class Outage:
    """``seconds`` from ``begin`` to ``end``."""

    name: str
    begin: Deed
    end: Deed
    seconds: float = AWAY_SECONDS


async def nothing(_running: Cluster) -> None:
    """It is over as soon as it came."""


async def kill_redis(running: Cluster) -> None:
    await running.redis.kill()


async def start_redis(running: Cluster) -> None:
    await running.redis.start()


async def freeze_redis(running: Cluster) -> None:
    running.redis.signal(signal.SIGSTOP)


async def wake_redis(running: Cluster) -> None:
    running.redis.signal(signal.SIGCONT)


async def tell_redis(running: Cluster, *words: str) -> None:
    redis = Redis.from_url(running.redis_url)
    await redis.execute_command(*words)  # type: ignore[no-untyped-call]  # the library has no types
    await redis.aclose()


async def flush(running: Cluster) -> None:
    await tell_redis(running, "FLUSHALL")


async def read_only(running: Cluster) -> None:
    await tell_redis(running, "REPLICAOF", "127.0.0.1", "1")


async def writable(running: Cluster) -> None:
    await tell_redis(running, "REPLICAOF", "NO", "ONE")


async def no_database(running: Cluster) -> None:
    for node in running.nodes:
        node.database.slam()


async def database(running: Cluster) -> None:
    for node in running.nodes:
        node.database.mend()


FLUSHED = Outage("Redis flushed", flush, nothing, 0)
OUTAGES = (
    Outage("Redis killed, back empty", kill_redis, start_redis),
    FLUSHED,
    Outage("Redis read-only", read_only, writable),
    Outage("Redis frozen", freeze_redis, wake_redis),
    Outage("database away", no_database, database),
)


def prove(size: Size) -> list[Figure]:
    """The same cluster as in ``nodes``; the short form only flushes Redis, and times nothing."""
    return asyncio.run(campaign(size))


async def campaign(size: Size) -> list[Figure]:
    consults, repeats, figures = size.choose(20, 2), size.choose(5, 1), list[Figure]()
    async with cluster.running(size.folder, appointments=consults + 1, media=size.choose(2, 1)) as running:
        newcomer = running.planned.pop()
        people = Running(running)
        try:
            await people.begin()
            for outage in OUTAGES if size.full else (FLUSHED,):
                healed, untrue, over = [], 0, 0
                for _ in range(repeats):
                    seconds, said = await suffer(running, people, outage, newcomer.link)
                    healed.append(seconds)
                    untrue += said not in HONEST
                    over += people.over() + await people.double()
                figures += rows(outage, healed, untrue, over)
            await people.end()
            await asyncio.sleep(SETTLE)
            figures += await losses(people)
        finally:
            await people.close()
    return [figure for figure in figures if size.full or figure.reach == "0"]


def rows(outage: Outage, healed: list[float], untrue: int, over: int) -> list[Figure]:
    what, times = outage.name, len(healed)
    return [
        counted(f"{what}: consults over, people in twice", over, times, "times"),
        counted(f"{what}: newcomers told anything but to try again", untrue, times, "times"),
        at_most(f"{what}: all consults well again after it, slowest", HEALED_SECONDS, max(healed), "s"),
    ]


async def suffer(running: Cluster, people: Running, outage: Outage, link: str) -> tuple[float, str]:
    """Seconds from the end of the outage until all is well, and what a newcomer was told in the middle of it."""
    await outage.begin(running)
    await asyncio.sleep(outage.seconds / 2)
    told = await come(running, link)
    await asyncio.sleep(outage.seconds / 2)
    await outage.end(running)
    moment = time.monotonic()

    async def well() -> bool:
        talking = all(any(at > moment for at in seat.visitor.said.values()) for seat in people.seats)
        return talking and await people.well() and await come(running, link) == "welcome"

    await eventually(well, f"all is well again after: {outage.name}", 60)
    seconds = time.monotonic() - moment
    await asyncio.sleep(SETTLE)
    return seconds, told


async def come(running: Cluster, link: str) -> str:
    """What somebody who opens a link at the first node is told: ``welcome`` or an error's code; ``nothing`` in time."""
    clerk = Clerk(running.origin, API, running.nodes[0].url)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            status, said = await clerk.call("POST", "/join", {"link": link})
        return "welcome" if status == 200 else str(said["error"]["code"])
    except (TimeoutError, aiohttp.ClientError):
        return "nothing"
    finally:
        await clerk.close()
