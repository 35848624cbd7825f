"""Nodes that are killed, frozen, cut off and restarted while consults run: everybody comes back, nothing is lost."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from bench.load import cluster
from bench.load.cluster import Cluster, Node, Process
from bench.load.consults import Running, Seat
from bench.load.door import eventually
from tests.prove.figures import Figure, Size, at_most, counted

BACK_SECONDS = 5
PATIENCE = 25.0
SETTLE = 2.0
"""Seconds after which a node that came back has done whatever harm it could."""

Deed = Callable[[Node, int], Awaitable[None]]


@dataclass
class Outcome:
    """Of all repeats of one fault. ``back`` are seconds, one for each client that the node had."""

    tries: int = 0
    back: list[float] = field(default_factory=list)
    unplanned: list[float] = field(default_factory=list)
    double: int = 0
    over: int = 0
    moved: int = 0


@dataclass(frozen=True)
class Fault:
    """``stays``: its clients have no reason to leave, and are back when the node acknowledges something again."""

    name: str
    strike: Deed
    heal: Deed
    stays: bool = False


async def kill(node: Node, _number: int) -> None:
    await node.process.kill()


async def start(node: Node, _number: int) -> None:
    await node.process.start()


async def freeze(node: Node, _number: int) -> None:
    node.process.signal(signal.SIGSTOP)


async def wake(node: Node, _number: int) -> None:
    node.process.signal(signal.SIGCONT)


async def cut_redis(node: Node, number: int) -> None:
    (node.redis.slam if number % 2 else node.redis.cut)()


async def cut_database(node: Node, number: int) -> None:
    (node.database.slam if number % 2 else node.database.cut)()


async def mend(node: Node, _number: int) -> None:
    node.redis.mend()
    node.database.mend()


FROZEN = Fault("frozen", freeze, wake)
FAULTS = (
    Fault("killed", kill, start),
    FROZEN,
    Fault("cut from Redis", cut_redis, mend),
    Fault("cut from the database", cut_database, mend, stays=True),
)


def prove(size: Size) -> list[Figure]:
    """Two nodes of the real server, one redis-server, one PostgreSQL, one OpenBao, two media workers, a balancer."""
    return asyncio.run(campaign(size))


async def campaign(size: Size) -> list[Figure]:
    """The short form leaves out what costs the start of more processes, and all that is timed."""
    consults, repeats = size.choose(20, 2), size.choose(20, 1)
    figures: list[Figure] = []
    media = 2 if size.full else 1
    settings: dict[str, Any] = {} if size.full else {"SIGNALING__DRAIN_SECONDS": "0.5"}
    async with cluster.running(size.folder, appointments=consults, media=media, **settings) as running:
        people = Running(running)
        try:
            await people.begin()
            for fault in FAULTS if size.full else (FROZEN,):
                outcome = Outcome()
                for number in range(repeats):
                    await strike(running, people, fault, number, outcome)
                figures += said(fault.name, consults, outcome)
            processes = [*(node.process for node in running.nodes), *running.media] if size.full else []
            figures += await rolling(running, people, processes or [running.nodes[0].process], size.choose(5, 1))
            await people.end()
            await asyncio.sleep(SETTLE)
            figures += await losses(people)
        finally:
            await people.close()
    return [figure for figure in figures if size.full or figure.reach == "0"]


async def strike(running: Cluster, people: Running, fault: Fault, number: int, outcome: Outcome) -> None:
    """One fault of the node with the most clients, and its end."""
    await people.spread()
    node = max(running.nodes, key=lambda one: len(people.at(one)))
    struck, fences, moment = people.at(node), await people.fences(), time.monotonic()
    await fault.strike(node, number)

    async def everybody() -> bool:
        return all(back(seat, people, node, moment, stays=fault.stays) is not None for seat in struck)

    await eventually(everybody, f"everybody is back after a node was {fault.name}", PATIENCE)
    outcome.tries += 1
    outcome.back += [back(seat, people, node, moment, stays=fault.stays) or 0 for seat in struck]
    await fault.heal(node, number)
    await node.await_ready()
    await eventually(lambda: ready(running), "the balancer sees all nodes ready", PATIENCE)
    await asyncio.sleep(SETTLE)
    outcome.double += await people.double()
    outcome.over += people.over()
    outcome.moved += sum(fence != fences.get(room) for room, fence in (await people.fences()).items())


def back(seat: Seat, people: Running, node: Node, moment: float, *, stays: bool) -> float | None:
    """Seconds from the fault until this one was in the room again and acknowledged, None as long as it is not."""
    if stays:
        return seat.heard_from(moment)
    if seat.visitor.back > moment and people.away_from(seat, node):
        return seat.heard_from(seat.visitor.back) and seat.visitor.back - moment
    return None


async def ready(running: Cluster) -> bool:
    return all(running.balancer.ready.values())


def said(name: str, consults: int, outcome: Outcome) -> list[Figure]:
    """The rows of one fault."""
    times = sorted(outcome.back)
    p95 = times[min(len(times) - 1, int(len(times) * 0.95))]
    beside = f"p95; median {times[len(times) // 2]:.1f}, slowest {times[-1]:.1f}, {len(times)} clients"
    what = f"node {name}, {consults} consults"
    return [
        at_most(f"{what}: clients back", BACK_SECONDS, p95, "s", beside),
        counted(
            f"{what}: in twice or not at all, consults over", outcome.double + outcome.over, outcome.tries, "times"
        ),
        counted(f"{what}: rooms that left their media worker", outcome.moved, outcome.tries, "times"),
    ]


# --- rolling restart -------------------------------------------------------------------------------------------------


async def rolling(running: Cluster, people: Running, processes: list[Process], rounds: int) -> list[Figure]:
    """SIGTERM for each process in turn, and its start."""
    restarts, double, ends, away = 0, 0, [], []
    for _ in range(rounds):
        await people.spread()
        for seat in people.seats:
            seat.visitor.away.clear()
        for process in processes:
            ends.append(await restart(running, process))
            await eventually(people.well, "all consults are well after a restart", PATIENCE)
            restarts, double = restarts + 1, double + await people.double()
        away += [seconds for seat in people.seats for seconds in seat.visitor.away]
    return [
        at_most(
            "rolling restart: a client without signaling, longest", BACK_SECONDS, max(away), "s", f"{len(away)} times"
        ),
        counted("rolling restart: consults over, people in twice", double + people.over(), restarts, "restarts"),
        at_most("rolling restart: from SIGTERM to the end of a process, longest", 30, max(ends), "s"),
    ]


async def restart(running: Cluster, process: Process) -> float:
    """Seconds that the process took to end."""
    moment = time.monotonic()
    process.signal(signal.SIGTERM)
    async with asyncio.timeout(60):
        await process.ended()
    took = time.monotonic() - moment
    await process.start()
    await asyncio.gather(*(node.await_ready() for node in running.nodes if node.process is process))
    await eventually(lambda: ready(running), "the balancer sees all nodes ready", PATIENCE)
    await eventually(lambda: workers(running), "all media workers are there", PATIENCE)
    return took


async def workers(running: Cluster) -> bool:
    """Whether as many media workers are alive as were started."""
    return await running.alive_workers() >= len(running.media)


async def losses(people: Running) -> list[Figure]:
    """What was acknowledged and is not there, all over the campaign."""
    chats, said_in_all = (
        sum(len(pair.lost()) for pair in people.pairs),
        sum(len(seat.visitor.said) for seat in people.seats),
    )
    asked = sum(len(seat.visitor.learned - set(seat.visitor.chats)) for seat in people.seats)
    twice = sum(pair.doubled() for pair in people.pairs)
    made = len(people.planned)
    return [
        counted("chat messages acknowledged and lost", chats, said_in_all, "acknowledged"),
        Figure("chat messages that came only when asked for", "printed", f"{asked} in {said_in_all:,}", met=True),
        counted("chat messages that came twice", twice, said_in_all, "acknowledged"),
        counted("appointments acknowledged and lost", await people.unplanned(), made, "acknowledged"),
    ]
