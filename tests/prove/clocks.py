"""Two sweepers, clocks that jump, summer time: nothing goes before its time, and nothing stays after it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from practice.accounts.model import RETENTION, Retention
from practice.agenda.model import Appointment
from practice.storage import Store
from tests.opening import Elsewhere, of, open_store
from tests.people import START, alice
from tests.prove.figures import Figure, Size, counted
from vault.errors import DomainError
from vault.records.scope import Scope
from vault.settings import VaultSettings

ZONES = [ZoneInfo(name) for name in ("Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "UTC")]
CHANGES = [  # the zone's own time, so without a zone
    datetime(2027, month, day, hour, 30)  # noqa: DTZ001 -- see above
    for month, day, hour in ((3, 28, 2), (10, 31, 2), (11, 7, 1))
]
JUMPS = [timedelta(minutes=6), timedelta(hours=1), timedelta(days=1), timedelta(days=400), timedelta(days=3652)]
"""Beyond the five minutes by which a clock may be ahead."""


@dataclass
class Node:
    """A server with a wall clock of its own; real time is common to all."""

    world: "World"
    off: timedelta = timedelta()

    def now(self) -> datetime:
        return self.world.truth + self.off

    def boot(self) -> float:
        return (self.world.truth - START).total_seconds() + 1000


@dataclass
class World:
    """Real time, and what was destroyed when."""

    truth: datetime = START
    due: dict[str, datetime] = field(default_factory=dict)
    early: int = 0
    late: int = 0
    destroyed: set[str] = field(default_factory=set)
    owner: str = ""

    def pass_(self, span: timedelta, stores: list[Store]) -> None:
        """In steps of a day at most, at which the servers look at their clocks as their sweepers do every 20 s."""
        until = self.truth + span
        while self.truth < until:
            self.truth = min(self.truth + timedelta(days=1), until)
            for store in stores:
                store.retention._clock.doubt()

    def note(self, appointment: str) -> None:
        if appointment not in self.destroyed and self.truth < self.due[appointment]:
            self.early += 1
        self.destroyed.add(appointment)


def prove(size: Size) -> list[Figure]:
    """Each run is one appointment with its own zone, setting and mishaps."""
    runs = size.choose(10_000, 40)
    world = asyncio.run(campaign(size, runs))
    return [
        counted("destroyed early, with jumping clocks, summer time and two sweepers", world.early, runs, "runs"),
        counted("not destroyed once due and the clocks right again", world.late, runs, "runs"),
    ]


async def campaign(size: Size, runs: int) -> World:
    world = World()
    nodes = [Node(world), Node(world)]
    settings = VaultSettings(data=size.memory / "clocks", trust_clock=True)
    logging.getLogger("vault").setLevel(logging.CRITICAL)
    async with AsyncExitStack() as stack:
        elsewhere = Elsewhere(on_destroy=noting(world))
        stores = [
            await stack.enter_async_context(
                open_store(settings, elsewhere, now=node.now, boot=node.boot, exclusive=node is nodes[0])
            )
            for node in nodes
        ]
        world.owner = (await alice(stores[0])).id
        for _ in range(runs):
            await run(size, world, nodes, stores)
    return world


def noting(world: World) -> Callable[[str], Awaitable[None]]:
    async def note(appointment: str) -> None:
        world.note(appointment)

    return note


async def run(size: Size, world: World, nodes: list[Node], stores: list[Store]) -> None:
    """An appointment's life, with mishaps until it is due, then right clocks and one sweep of each server."""
    random = size.random
    setting: Retention = random.choice(sorted(RETENTION))
    await stores[0].practitioners.set_retention(of(world.owner), setting)
    planned = await plan(size, world, stores[0])
    assert planned.due is not None
    world.due[planned.id] = planned.due
    if random.random() < 0.5:
        world.pass_(random.random() * timedelta(hours=2), stores)
        ended = await stores[1].appointments.end(Scope.consult(planned.id, planned.owner), planned.id)
        assert ended.due is not None
        world.due[planned.id] = ended.due
    for _ in range(random.randint(2, 5)):
        mishap(size, world, nodes, stores, planned.id)
        await random.choice(stores).retention.sweep()
    for node in nodes:
        node.off = timedelta()
    world.pass_(max(timedelta(0), world.due[planned.id] - world.truth) + timedelta(seconds=61), stores)
    for store in stores:
        await store.retention.sweep()
    world.late += planned.id not in world.destroyed
    if planned.id not in world.destroyed:
        await stores[0].retention.destroy(of(world.owner), planned.id)


async def plan(size: Size, world: World, store: Store) -> Appointment:
    """Tomorrow, or in the hour that summer time skips or repeats."""
    random, zone = size.random, size.random.choice(ZONES)
    soon = (world.truth + random.random() * timedelta(days=2)).astimezone(zone)
    changes = [change.replace(tzinfo=zone, fold=random.randint(0, 1)) for change in CHANGES]
    coming = [change for change in changes if change > world.truth]
    starts_at = random.choice(coming) if coming and random.random() < 0.3 else soon
    try:
        return await store.appointments.create(of(world.owner), "Patient", starts_at, 30, "nl")
    except DomainError:
        return await store.appointments.create(of(world.owner), "Patient", soon + timedelta(days=1), 30, "nl")


def mishap(size: Size, world: World, nodes: list[Node], stores: list[Store], planned: str) -> None:
    """Time passes, often to just before the due moment; one or both walls jump, back or forth; or come right."""
    random = size.random
    left = world.due[planned] - world.truth
    if left > timedelta(seconds=2):
        span = random.choice([left - timedelta(seconds=1), left * random.random() * 0.5, timedelta(0)])
        world.pass_(span, stores)
    hit = random.choice([[nodes[0]], [nodes[1]], nodes])
    jump = random.choice([timedelta(0), *JUMPS, *(-jump for jump in JUMPS[:4])])
    for node in hit:
        node.off = jump
