"""Which media worker a room lives on, and what the workers have to say about it.

A room goes to the least loaded living worker and stays there: the one that uses least of its processor, in steps of a
tenth; of those alike, the one with the fewest rooms. A worker that says to be full takes no consult that begins, but
one that runs and lost its worker. When a worker dies (its heartbeat stops for 3 s, or the local parent saw it exit) or
forgets a room, that is placed again under a higher fence; clients see the new fence and offer again by themselves, and
whatever an old worker still says carries the old fence and is ignored.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from redis.asyncio import Redis
from redis.exceptions import RedisError

from media.control import Event as WorkerEvent
from media.control import (
    Heartbeat,
    MediaClient,
    MediaUnavailable,
    OpenedRoom,
    OpenRoom,
    PeerSample,
    PeerState,
    SlotsChanged,
    UnencryptedSeen,
    heartbeat_key,
)
from media.control import SlotView as WorkerSlot
from rooms.consult_events import Assign, ChangeMedia, LoseWorker, MediaState, RoomOpened
from rooms.consult_state import Consult, Participant
from signaling.consults import Consults
from signaling.protocol.events import Slots, SlotView, Unencrypted
from vault.errors import DomainError

AVOID = 3.0
"""Seconds in which a worker that just failed is not chosen."""

SETTLING = 1.5
"""Seconds until a heartbeat tells of a room that was just placed."""

WARMING = 6.0
"""Seconds until its load does."""

ROOM_LOAD = 0.02
"""What a room is taken to cost until then: one of two people with pictures costs about as much."""

STEP = 0.1
"""Loads are told apart by so much."""

RETRY = 0.15
ATTEMPTS = 40

MEDIA_STATES: dict[str, MediaState] = {"connected": "connected", "reconnecting": "reconnecting", "lost": "failed"}

log = logging.getLogger(__name__)


class Recorder(Protocol):
    """Where technical samples go, for 24 hours at most."""

    async def record(self, appointment: str, participant: str, sample: dict[str, object], age_ms: int) -> None: ...

    async def forget(self, appointment: str) -> None: ...


class Placement:
    """Places rooms on workers and turns what workers report into events of the rooms."""

    def __init__(
        self,
        consults: Consults,
        media: MediaClient,
        redis: Redis,
        diagnostics: Recorder,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._consults = consults
        self._media = media
        self._redis = redis
        self._diagnostics = diagnostics
        self._clock = clock
        self._avoided: dict[str, float] = {}
        self._placed: list[tuple[float, str]] = []
        self._under_way: set[str] = set()
        self.full = False

    async def look(self) -> None:
        """To be called every second: ``full`` says whether no worker takes a consult that begins now."""
        try:
            able = self._able(await self._media.workers())
        except MediaUnavailable:
            return
        self.full = bool(able) and all(one.full for one in able)

    def request(self, appointment: str) -> None:
        """Place a room in the background; harmless when that is under way."""
        if appointment not in self._under_way:
            self._under_way.add(appointment)
            self._consults.gate.spawn(self._place(appointment))

    async def worker_exited(self, worker: str) -> None:
        """The local parent saw a worker end: place its rooms again now, not when its heartbeat is missed."""
        self._avoid(worker)
        try:
            await self._redis.delete(heartbeat_key(worker))
            async for consult in self._consults.live.running():
                if consult.worker == worker:
                    await self._consults.runner.apply(consult.appointment, LoseWorker(consult.fence))
        except (RedisError, DomainError):
            log.warning("the rooms of a dead media worker wait for the housekeeper", extra={"worker": worker})

    async def silent(self, consult: Consult, worker: str) -> None:
        """The worker that has the room does not answer."""
        self._avoid(worker)
        await self.forgotten(consult)

    async def forgotten(self, consult: Consult) -> None:
        """The worker that had the room does not know it (any more)."""
        await self._consults.runner.apply(consult.appointment, LoseWorker(consult.fence))

    # --- placing -----------------------------------------------------------------------------------------------------

    async def _place(self, appointment: str) -> None:
        try:
            for _ in range(ATTEMPTS):
                if await self._try_to_place(appointment):
                    return
                await asyncio.sleep(RETRY)
            if self.full:
                log.error("every media worker is full")
            else:
                log.error("no media worker takes a room")
        except DomainError as error:
            log.warning("a room was not placed", extra={"code": error.code})
        finally:
            self._under_way.discard(appointment)

    async def _try_to_place(self, appointment: str) -> bool:
        """True when there is nothing left to do."""
        consult = await self._consults.live.load(appointment)
        if consult is None or consult.worker or not consult.admitted:
            return True
        worker = await self._choose(begun=consult.fence > 0)
        if worker is None:
            return False
        consult = await self._consults.runner.apply(appointment, Assign(worker, unless=consult.fence))
        if consult.worker != worker or consult.ready:
            return True
        self._placed.append((self._clock(), worker))
        try:
            call = OpenRoom(room=appointment, fence=consult.fence, capacity=consult.capacity)
            opened = isinstance(await self._consults.workers.call(worker, call), OpenedRoom)
        except MediaUnavailable:
            opened = False
        if opened:
            await self._consults.runner.apply(appointment, RoomOpened(consult.fence))
        else:
            await self.silent(consult, worker)
        return opened

    async def _choose(self, *, begun: bool) -> str | None:
        """The least loaded worker, counting what its last heartbeats could not know of; for a consult that has begun
        also one that is full, where all are.
        """
        now = self._clock()
        self._placed = [(when, worker) for when, worker in self._placed if when > now - WARMING]
        warming = Counter(worker for _, worker in self._placed)
        fresh = Counter(worker for when, worker in self._placed if when > now - SETTLING)
        try:
            able = self._able(await self._media.workers())
        except MediaUnavailable:
            return None
        free = [one for one in able if not one.full]

        def load(one: Heartbeat) -> tuple[int, int, int, str]:
            step = int((one.load + ROOM_LOAD * warming[one.worker]) / STEP)
            return step, one.rooms + fresh[one.worker], one.packets_per_second, one.worker

        best = min(free or (able if begun else []), key=load, default=None)
        return best.worker if best else None

    def _able(self, alive: list[Heartbeat]) -> list[Heartbeat]:
        now = self._clock()
        self._avoided = {worker: until for worker, until in self._avoided.items() if until > now}
        return [one for one in alive if not one.draining and one.worker not in self._avoided]

    def _avoid(self, worker: str) -> None:
        self._avoided[worker] = self._clock() + AVOID

    # --- what workers report -----------------------------------------------------------------------------------------

    async def listen(self) -> None:
        """Handle the events of all workers; each reaches one node."""
        async for event in self._media.events():
            try:
                await self._report(event)
            except DomainError as error:
                # Of a room that is over, or while Redis is away; the next report says the same again.
                log.info("a worker's report came to nothing", extra={"event": event.event, "code": error.code})
            except Exception:
                log.exception("a worker's report failed", extra={"event": event.event})

    async def _report(self, event: WorkerEvent) -> None:
        consult = await self._consults.live.load(event.room)
        one = consult.find(event.peer) if consult else None
        if consult is None or one is None or not one.admitted or consult.fence != event.fence:
            return
        match event:
            case PeerState():
                change = ChangeMedia(event.fence, event.peer, MEDIA_STATES[event.state])
                await self._consults.runner.apply(event.room, change)
            case SlotsChanged():
                await self._tell_slots(one, event)
            case UnencryptedSeen():
                await self._consults.messages.say(consult, [one], "unencrypted", Unencrypted(source=event.source))
                await self._diagnostics.record(event.room, event.peer, {"event": "encryption-stopped"}, 0)
            case PeerSample():
                await self._diagnostics.record(event.room, event.peer, sample(event), 0)

    async def _tell_slots(self, one: Participant, event: SlotsChanged) -> None:
        if one.socket:
            view = Slots(fence=event.fence, version=event.version, slots=slot_views(event.slots))
            await self._consults.gate.tell(one.socket, "slots", view)


def slot_views(slots: list[WorkerSlot]) -> list[SlotView]:
    """Peers of a worker are participants."""
    return [SlotView(slot=one.slot, participant=one.peer, paused=one.paused) for one in slots]


def sample(event: PeerSample) -> dict[str, object]:
    """What the relay measured of one connection."""
    return event.model_dump(exclude={"event", "room", "fence", "peer"}, exclude_none=True)
