"""Consults that run on a cluster: two visitors each, who never stop writing to each other."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass

import aiohttp

from bench.load.clerk import Clerk, Planned
from bench.load.cluster import Cluster, Node, documents
from bench.load.door import eventually
from bench.load.visitor import Refused, Visitor
from rooms.consult_state import Consult
from signaling.protocol.model import API

CHAT_SECONDS = 0.25
SETTLE_SECONDS = 30.0


@dataclass
class Seat:
    """A visitor who writes."""

    visitor: Visitor

    async def talk(self, name: str) -> None:
        """Until cancelled. What is not acknowledged was not said: people see that, and say it again."""
        number = 0
        while True:
            number += 1
            text = f"{name}-{number:06d}"
            with suppress(Refused, TimeoutError):
                await self.visitor.say(text)
            await asyncio.sleep(CHAT_SECONDS)

    def heard_from(self, moment: float) -> float | None:
        """Seconds from ``moment`` to the first acknowledgement after it."""
        after = [at for at in self.visitor.said.values() if at > moment]
        return min(after) - moment if after else None


@dataclass
class Pair:
    """One consult: the practitioner's page and the patient's."""

    planned: Planned
    practitioner: Seat
    patient: Seat

    @property
    def seats(self) -> tuple[Seat, Seat]:
        return self.practitioner, self.patient

    def lost(self) -> list[str]:
        """What was acknowledged and never came to the other, neither by itself nor when asked for."""
        one, other = self.practitioner.visitor, self.patient.visitor
        heard = {page.id: {*page.chats, *page.learned} for page in (one, other)}
        return [*(one.said.keys() - heard[other.id]), *(other.said.keys() - heard[one.id])]

    def doubled(self) -> int:
        """How much came more than once."""
        return sum(len(seat.visitor.chats) - len(set(seat.visitor.chats)) for seat in self.seats)


class Running:
    """All consults of a cluster, and a practitioner who plans meanwhile."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.pairs: list[Pair] = []
        self.planned: dict[str, float] = {}
        self.clerk = Clerk(cluster.origin, API)
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def seats(self) -> list[Seat]:
        return [seat for pair in self.pairs for seat in pair.seats]

    async def begin(self) -> None:
        """Everybody arrives, is called in, and talks."""
        await self.clerk.sign_in()
        self.pairs = [self._pair(planned) for planned in self.cluster.planned]
        for pair in self.pairs:
            for seat in pair.seats:
                await seat.visitor.open()
            await pair.patient.visitor.arrive()
            await pair.practitioner.visitor.admit(pair.patient.visitor)
        await eventually(self.well, "all consults run", SETTLE_SECONDS)
        for number, pair in enumerate(self.pairs):
            for side, seat in zip("ab", pair.seats, strict=True):
                self._tasks.append(asyncio.create_task(seat.talk(f"{side}{number}")))
        self._tasks.append(asyncio.create_task(self._plan()))

    async def end(self) -> None:
        """Everybody falls silent, waits for what is under way, and stays."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def close(self) -> None:
        """Idempotent."""
        await self.end()
        await asyncio.gather(*(seat.visitor.close() for seat in self.seats))
        await self._session.close()
        await self.clerk.close()

    def _pair(self, planned: Planned) -> Pair:
        async def patient() -> str:
            return await self.clerk.join(planned.link)

        origin = self.cluster.origin
        sides = [Visitor(self._session, origin, origin, planned.id, token) for token in (self.clerk.ticket, patient)]
        return Pair(planned, Seat(sides[0]), Seat(sides[1]))

    async def _plan(self) -> None:
        number = 0
        while True:
            number += 1
            made = await self.clerk.plan(f"Planned {number}")
            if made:
                self.planned[made] = time.monotonic()
            await asyncio.sleep(CHAT_SECONDS)

    # --- what is true of them ------------------------------------------------------------------------------------

    def at(self, node: Node) -> list[Seat]:
        """Who is connected to this node."""
        return [seat for seat in self.seats if self.cluster.balancer.where.get(seat.visitor.port) == node.port]

    def away_from(self, seat: Seat, node: Node) -> bool:
        """Whether this one is in its room by way of another node."""
        where = self.cluster.balancer.where.get(seat.visitor.port)
        return seat.visitor.connected and where is not None and where != node.port

    async def documents(self) -> dict[str, Consult]:
        return await documents(self.cluster, [pair.planned.id for pair in self.pairs])

    async def double(self) -> int:
        """Seats with more than one page, pages with more than one seat, and people who are not in exactly once."""
        documents, count = await self.documents(), 0
        for pair in self.pairs:
            document = documents.get(pair.planned.id)
            there = [one.id for one in document.participants if one.socket] if document else []
            count += sorted(there) != sorted(seat.visitor.id for seat in pair.seats)
        return count

    def over(self) -> int:
        """Consults that ended, or out of which somebody was put."""
        return sum(any(seat.visitor.ended or seat.visitor.taken_over for seat in pair.seats) for pair in self.pairs)

    async def fences(self) -> dict[str, int]:
        """Rises when a room is placed on another worker, that is, when its media was interrupted."""
        return {appointment: consult.fence for appointment, consult in (await self.documents()).items()}

    async def well(self) -> bool:
        """Everybody is in once, sees the other, and the room is on a worker."""
        for pair in self.pairs:
            for seat in pair.seats:
                view = seat.visitor.view
                if not seat.visitor.connected or not view or not view["media"] or not view["media"]["ready"]:
                    return False
                if not any(other["connected"] for other in view["others"]):
                    return False
        return await self.double() == 0

    async def spread(self) -> None:
        """Half of them go elsewhere, as people whose network changes do."""
        for pair in self.pairs:
            pair.patient.visitor.drop()
        await eventually(self.well, "everybody is back after the spreading", SETTLE_SECONDS)

    async def unplanned(self) -> int:
        """Appointments that were acknowledged and are not there."""
        status, said = await self.clerk.call("GET", "/appointments")
        if status != 200:
            raise RuntimeError(f"no list: {said}")
        there = {one["appointment"] for one in said["appointments"]}
        return sum(made not in there for made in self.planned)
