"""A practice's Monday morning on one node: ever more people, until it is too slow.

At its full size 200 wait and 40 consults run. In each step there are so many more of all; meanwhile links are opened,
people are called in, consults end, appointments fall due and sweeps destroy them. A round trip is ``snapshot`` of
somebody who waits, a hundred times a second. Nobody sends media: what that costs stands in the relay's table.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import aiohttp

from bench.load import crowd as crowds
from bench.load.clerk import MAIL, PASSWORD, Clerk, Planned
from bench.load.crowd import Crowd
from bench.load.visitor import Refused as NotNow
from bench.load.visitor import Visitor
from bench.records.figures import Row
from bench.records.places import Filled, Ground, Group, Refused
from bench.records.serve import MEDIA, Server, open_now, served
from bench.records.store import Plan
from bench.signaling import Asked, ask
from signaling.protocol.model import API

WAITING, CONSULTS, ASKING = 200, 40, 20
STEPS = (0.5, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12)
LIMIT_MS = 100.0
"""A round trip's 95th percentile: what is above feels slow."""

SECONDS = 15.0
EACH = 24
DUE = 400


@dataclass
class Desk:
    """A practitioner, and the appointments of the day."""

    clerk: Clerk
    planned: list[Planned]


@dataclass
class Pair:
    """A consult: the practitioner's page and the patient's."""

    practitioner: Visitor
    patient: Visitor

    async def close(self) -> None:
        await asyncio.gather(self.practitioner.close(), self.patient.close())


@dataclass
class Day:
    """One node's; ``carried`` is how many consults it had when it was last quick enough."""

    server: Server
    desks: list[Desk]
    session: aiohttp.ClientSession
    pairs: list[Pair] = field(default_factory=list)
    pages: list[Visitor] = field(default_factory=list)
    carried: float = 0.0
    said: list[str] = field(default_factory=list)

    def planned(self) -> list[tuple[Desk, Planned]]:
        """All of them, each practitioner's in turn."""
        return [(desk, desk.planned[turn]) for turn in range(EACH) for desk in self.desks]

    async def call_in(self, desk: Desk, planned: Planned) -> None:
        """Somebody comes, and is called in at once."""
        sides = [
            Visitor(self.session, self.server.url, self.server.url, planned.id, token)
            for token in (desk.clerk.ticket, partial(desk.clerk.join, planned.link))
        ]
        self.pages += sides
        pair = Pair(*sides)
        self.pairs.append(pair)
        for side in sides:
            await side.open()
        await pair.patient.arrive()
        await pair.practitioner.admit(pair.patient)

    async def bustle(self, pace: float, free: Any) -> None:
        """Until cancelled: two links a second are opened, and each second a consult ends and another begins."""
        for number in itertools.count():
            await asyncio.sleep(0.5 / pace)
            with suppress(RuntimeError, NotNow, TimeoutError, aiohttp.ClientError):
                desk = self.desks[number % len(self.desks)]
                await desk.clerk.join(desk.planned[number % EACH].link)
                if number % 2 and self.pairs:
                    over = self.pairs.pop(0)
                    await over.practitioner.request("leave")
                    await over.close()
                    await self.call_in(*next(free))


@asynccontextmanager
async def begun(server: Server, filled: Filled) -> AsyncIterator[Day]:
    """Everybody at the desk."""
    async with AsyncExitStack() as stack:
        connector = aiohttp.TCPConnector(limit=0, local_addr=("127.2.0.1", 0))
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        theirs: dict[str, list[Planned]] = {}
        for one, owner, secret in filled.appointments:
            theirs.setdefault(owner, []).append(Planned(one, one + secret))
        desks = []
        for number, planned in enumerate(planned for planned in theirs.values() if len(planned) == EACH):
            clerk = Clerk(server.url, API, seconds=60, local=f"127.3.{number // 250}.{1 + number % 250}")
            stack.push_async_callback(clerk.close)
            mail = f"{number}.{MAIL}" if number else MAIL
            status, said = await clerk.call("POST", "/sign-in", {"mail": mail, "password": PASSWORD})
            if status != 200:
                raise Refused(f"sign-in: {said}")
            desks.append(Desk(clerk, planned))
        day = Day(server, desks, session)
        try:
            yield day
        finally:
            await asyncio.gather(*(page.close() for page in day.pages))


async def monday(ground: Ground, plan: Plan) -> list[Row]:
    """One round: it is a ramp."""
    row = Row("consults at once on one node, five times as many waiting", "PostgreSQL", "consults")
    owners = int(-(-max(STEPS) * 1.3 * (WAITING + CONSULTS) * plan.scale // EACH)) + 1
    for number, build in enumerate(ground.builds):
        fall = (datetime.now(UTC) - timedelta(minutes=58)).isoformat()
        groups = Group(owners, EACH, open_now(), minutes=240), Group(1, DUE, fall, "end", days=10 / 1440)
        filled = await ground.filled("PostgreSQL", *groups)
        async with (
            served(ground, build, await ground.copy(filled, build), **MEDIA) as server,
            begun(server, filled) as day,
        ):
            await ramp(day, plan)
        row.sides()[number].values.append(day.carried)
        row.what += f"; {build.name}: {', '.join(day.said)}"
    return [row]


async def ramp(day: Day, plan: Plan) -> None:
    """More and more, until it is too slow or somebody does not come in."""
    everybody = day.planned()
    waiting, others = everybody[: plan.size(int(max(STEPS) * WAITING), 20)], everybody
    free = iter(others[len(waiting) :])
    asking = min(ASKING, len(waiting) // 2)
    planned = [one for _, one in waiting]
    crowd = Crowd(day.server.url, planned[:asking], day.server.url)
    async with crowds.elsewhere(day.server.url, day.server.url, planned[asking:]) as elsewhere:
        try:
            await crowd.gather(asking, [day.server.url])
            there = asking
            for step in STEPS:
                want = max(there, plan.size(int(step * WAITING), asking))
                if want > there:
                    await elsewhere.gather(want - there)
                there = want
                while len(day.pairs) < plan.size(int(step * CONSULTS), 2):
                    await day.call_in(*next(free))
                for _ in range(2):  # a busy moment of the machine is not the end
                    asked = await busy(day, crowd, free, step, max(2.0, SECONDS * min(1.0, plan.scale)))
                    p95 = crowds.percentile(asked.times, 0.95)
                    if p95 <= LIMIT_MS:
                        break
                told = (
                    f"{there} waiting and {len(day.pairs)} consults {p95:.0f} ms p95, {asked.share:.0%} of a processor"
                )
                day.said = [*day.said[-1:], told]
                if p95 > LIMIT_MS:
                    return
                day.carried = float(len(day.pairs))
        except (RuntimeError, TimeoutError, NotNow, StopIteration, aiohttp.ClientError) as error:
            day.said.append(f"then {type(error).__name__} ({error})")
        finally:
            await crowd.close()


async def busy(day: Day, crowd: Crowd, free: Any, pace: float, seconds: float) -> Asked:
    """Round trips while all of that goes on."""
    bustle = asyncio.create_task(day.bustle(pace, free))
    try:
        node: Any = day.server
        return await ask(crowd, node, seconds)
    finally:
        bustle.cancel()
        await asyncio.gather(bustle, return_exceptions=True)
