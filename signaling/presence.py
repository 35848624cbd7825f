"""Which nodes are alive, which sockets they have, and that the rooms' documents say the same.

Each node writes a heartbeat and compares its own sockets with the documents once a second: that rebuilds a room that an
emptied Redis lost and puts right what a node did that was taken for dead. One node at a time lets time pass for all
rooms: seats that were held long enough become free, sockets of dead nodes count as lost, rooms of dead workers are
placed again, those of workers that are about to end move to others.

A node whose heartbeat does not arrive is of no use to its clients while others are: **before it counts as dead it
drops them, and lets nobody in until Redis hears it again.** One that stood still drops them when it wakes: it was taken
for dead meanwhile.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from media.control import Heartbeat, MediaClient, MediaUnavailable
from rooms.consult_events import LoseWorker, Tick
from rooms.consult_state import Consult
from rooms.live import parts
from signaling.admission import Admission
from signaling.consults import Consults
from signaling.placement import Placement
from signaling.protocol.errors import SpreekkamerError
from signaling.protocol.events import ROOM, Ended
from signaling.protocol.model import Empty
from signaling.sockets import endings
from signaling.sockets.socket import Binding, Socket
from vault.errors import DomainError

PERIOD = 1.0
NODE_LIFE = 3
BEAT_WITHIN = 0.8
"""Seconds for a heartbeat to be written."""

CUT_OFF = 2.5
"""Seconds without a heartbeat after which a node with neighbours gives its clients up; less than ``NODE_LIFE``."""

MOVES = 10
"""Rooms that leave a worker which is about to end, each second."""

NODES = "sk:nodes"
HOUSEKEEPER = "sk:housekeeper"
TERM = 500
"""Milliseconds for which one node is the housekeeper: so much less than a period that no node keeps all others out."""

log = logging.getLogger(__name__)


def node_key(node: str) -> str:
    return f"sk:node:{node}"


class Presence:
    """The node's own second-by-second duties."""

    def __init__(
        self,
        consults: Consults,
        placement: Placement,
        admission: Admission,
        media: MediaClient,
        redis: Redis,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._consults = consults
        self._placement = placement
        self._admission = admission
        self._media = media
        self._redis = redis
        self._clock = clock
        self._heard = clock()
        self.neighbours: frozenset[str] = frozenset()
        self.leaving = False

    async def watch(self) -> None:
        """Until cancelled: beat, and notice when this node stood still or nobody hears it."""
        while True:
            before = self._clock()
            await asyncio.sleep(PERIOD)
            if self._clock() - before > NODE_LIFE:
                log.warning("this node stood still; its clients come back anew")
                self._consults.gate.cut_off()
            await self._beat_in_time()

    async def _beat_in_time(self) -> None:
        try:
            async with asyncio.timeout(BEAT_WITHIN):
                await self.beat()
        except (RedisError, OSError, TimeoutError):
            if self.neighbours and self._clock() - self._heard > CUT_OFF:
                self._give_up()
        except Exception:
            log.exception("the heartbeat failed")

    def _give_up(self) -> None:
        gate = self._consults.gate
        if gate.authenticated:
            log.warning("Redis does not hear this node; its clients go elsewhere")
        gate.close_doors("cut off")
        gate.cut_off()

    async def run(self) -> None:
        """Until cancelled; survives Redis being away."""
        while True:
            try:
                await self.turn()
            except (RedisError, DomainError):
                log.warning("Redis does not answer; rooms cannot be looked after")
            except Exception:
                log.exception("looking after the rooms failed")
            await asyncio.sleep(PERIOD)

    async def turn(self) -> None:
        """One second's work. The heartbeat comes first: a room must not be rebuilt by a node that counts as dead."""
        await self.beat()
        await self._consults.seats.note_losses()
        await self.close_outdated()
        await self._placement.look()
        bound = [(one, one.binding) for one in self._consults.gate.authenticated.values() if one.binding]
        for part in parts(bound):
            documents = await self._consults.live.load_all(binding.appointment for _, binding in part)
            for socket, binding in part:
                if socket.binding is binding:
                    await self._compare(socket, binding, documents.get(binding.appointment))
        if await self._redis.set(HOUSEKEEPER, self._consults.node, px=TERM, nx=True):
            await self._keep_house()

    async def close_outdated(self) -> None:
        """Close the sockets of whoever signed out, should the word of it not have come or have come too early."""
        gate = self._consults.gate
        for socket, why in await self._admission.outdated(gate.authenticated.values()):
            await gate.turn_out(socket, why)

    async def beat(self) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(node_key(self._consults.node), "1", ex=NODE_LIFE)
            pipe.sadd(NODES, self._consults.node)
            pipe.expire(NODES, math.ceil(NODE_LIFE * 10))
            pipe.smembers(NODES)
            *_, names = await pipe.execute()
        self._heard = self._clock()
        self.neighbours = frozenset(name.decode(errors="replace") for name in names) - {self._consults.node}
        if not self.leaving:
            self._consults.gate.close_doors(None)

    async def resign(self) -> None:
        """This node stops: its sockets are lost at once, not when its heartbeat runs out."""
        try:
            await self._redis.delete(node_key(self._consults.node))
            await self._redis.srem(NODES, self._consults.node)
        except RedisError:
            log.warning("Redis was not there to be told that this node stops")

    async def _compare(self, socket: Socket, binding: Binding, consult: Consult | None) -> None:
        """Bring what this node knows of a socket and the room's document together again."""
        one = consult.find(binding.participant) if consult else None
        if consult and one and one.socket == socket.sid:
            socket.binding = binding.confirmed(one.lineage, consult.touched)
        elif one and one.socket:
            socket.binding = None
        else:
            await self._put_back(socket, binding)

    async def _put_back(self, socket: Socket, binding: Binding) -> None:
        async with socket.turn(ROOM):
            consult = await self._consults.live.load(binding.appointment)
            one = consult.find(binding.participant) if consult else None
            if socket.binding is not binding or (one and one.socket):
                return  # It came, left or was replaced while this waited for its turn.
            try:
                seats, appointment = self._consults.seats, binding.appointment
                view = await seats.take(socket, appointment, binding.participant, take_over=False)
            except (SpreekkamerError, DomainError) as error:
                await self._turn_out(socket, error.code)
            else:
                await self._consults.gate.tell(socket.sid, "room", view)
                await self._consults.messages.catch_up(socket)

    async def _turn_out(self, socket: Socket, code: str) -> None:
        """There is no place for this socket any more; its page must hear that, whatever message it missed."""
        if code == "try_again":
            return
        socket.binding = None
        if code in ("ended", "gone", "not_found"):
            await self._consults.gate.tell(socket.sid, "ended", Ended(reason="ended"))
        else:
            await self._consults.gate.tell(socket.sid, "taken-over", Empty())
            await self._consults.gate.end(socket.sid, endings.TAKEN_OVER)

    async def _keep_house(self) -> None:
        workers = await self._workers()
        alive = None if workers is None else frozenset(one.worker for one in workers)
        tick = Tick(nodes=await self._nodes(), workers=alive, refresh=self._consults.showing.refresh)
        if workers and any(one.draining for one in workers):
            await self._move_rooms(workers)
        async for found in self._consults.live.running():
            try:
                late = self._consults.live.would_change(found, tick)
                consult = await self._consults.runner.apply(found.appointment, tick) if late else found
                if consult.admitted and consult.worker is None:
                    self._placement.request(consult.appointment)
            except DomainError as error:
                log.info("a room was not looked after", extra={"code": error.code})

    async def _move_rooms(self, workers: list[Heartbeat]) -> None:
        running = [consult async for consult in self._consults.live.running()]
        for consult in islice(moving(running, workers), MOVES):
            with suppress(DomainError):
                await self._consults.runner.apply(consult.appointment, LoseWorker(consult.fence))

    async def _nodes(self) -> frozenset[str]:
        names = sorted(name.decode(errors="replace") for name in cast("set[bytes]", await self._redis.smembers(NODES)))
        beats = await self._redis.mget([node_key(name) for name in names]) if names else []
        dead = [name for name, beat in zip(names, beats, strict=True) if beat is None]
        if dead:
            await self._redis.srem(NODES, *dead)
        return frozenset(names) - frozenset(dead) | {self._consults.node}

    async def _workers(self) -> list[Heartbeat] | None:
        try:
            return await self._media.workers()
        except MediaUnavailable:
            return None


def moving(consults: Iterable[Consult], workers: list[Heartbeat]) -> Iterator[Consult]:
    """The rooms that live on a worker which is about to end, if there is another one for them."""
    leaving = {one.worker for one in workers if one.draining}
    if len(leaving) < len(workers):
        yield from (consult for consult in consults if consult.ready and consult.worker in leaving)
