"""What consults of more than two have beside those of two: sizes, who speaks, and who leads."""

import time
from collections.abc import Callable
from weakref import WeakKeyDictionary

from media.control import MediaUnavailable, Refused, SetSizes
from media.control import SlotSize as WorkerSize
from rooms.consult_events import Lock as Locking
from rooms.consult_events import Remove as Removing
from rooms.consult_state import GUEST, PRACTITIONER, Consult, Participant
from signaling.consults import Consults
from signaling.handlers.media import FORGOTTEN
from signaling.placement import Placement
from signaling.protocol.errors import ProtocolError, UserError
from signaling.protocol.groups import HandOver, Lock, Remove, Sizes, Speak, Speaks
from signaling.protocol.model import Empty
from signaling.sockets.socket import Socket, TokenBucket

RATE, BURST = 5.0, 12
"""Of one socket, of each of both: what somebody says or does with a window comes to less."""


class Groups:
    def __init__(self, consults: Consults, placement: Placement, clock: Callable[[], float] = time.monotonic) -> None:
        self._consults = consults
        self._placement = placement
        self._clock = clock
        self._sizes: WeakKeyDictionary[Socket, TokenBucket] = WeakKeyDictionary()
        self._speech: WeakKeyDictionary[Socket, TokenBucket] = WeakKeyDictionary()

    async def sizes(self, socket: Socket, body: Sizes) -> Empty:
        """Tell the worker that has the room what this page shows how large. Nothing of it is kept."""
        self._demand_seldom(self._sizes, socket)
        consult, me = await self._consults.seats.inside(socket, admitted=True)
        if not consult.ready or consult.worker is None:
            raise ProtocolError("bad_state")
        await self._set_sizes(consult, consult.worker, me, body)
        return Empty()

    async def speak(self, socket: Socket, body: Speak) -> Empty:
        """Tell the others who are in. Nothing of it is kept."""
        self._demand_seldom(self._speech, socket)
        consult, me = await self._consults.seats.inside(socket, admitted=True)
        if not consult.is_group:
            raise ProtocolError("bad_state")
        said = Speaks(participant=me.id, speaking=body.speaking)
        for one in consult.admitted:
            if one.socket and one.id != me.id:
                await self._consults.gate.tell(one.socket, "speaks", said)
        return Empty()

    async def remove(self, socket: Socket, body: Remove) -> Empty:
        """Have somebody leave who is in. Errors: ``forbidden``, ``not_found``."""
        consult, me = await self._consults.seats.leading(socket)
        await self._consults.runner.apply(consult.appointment, Removing(me.id, body.participant))
        return Empty()

    async def lock(self, socket: Socket, body: Lock) -> Empty:
        """Let nobody new into the waiting room, or let them again. Errors: ``forbidden``."""
        consult, me = await self._consults.seats.leading(socket)
        await self._consults.runner.apply(consult.appointment, Locking(me.id, body.locked))
        return Empty()

    async def hand_over(self, socket: Socket, body: HandOver) -> Empty:
        """Have a colleague who is in lead the consult too. Errors: ``forbidden`` (also of a guest who is none),
        ``not_found``.
        """
        consult, me = await self._consults.seats.leading(socket)
        if me.seat != PRACTITIONER:
            raise ProtocolError("forbidden")
        if body.participant != me.id:
            await self._demand_colleague(consult, body.participant)
        await self._consults.seats.give_lead(consult, me.id, body.participant)
        return Empty()

    async def _demand_colleague(self, consult: Consult, participant: str) -> None:
        one = consult.find(participant)
        if one is None or not one.admitted:
            raise UserError("not_found")
        if one.role != GUEST or not await self._consults.seats.is_colleague(consult, one.seat):
            raise ProtocolError("forbidden")

    async def _set_sizes(self, consult: Consult, worker: str, me: Participant, body: Sizes) -> None:
        """It is a wish: a worker that does not answer, or does not know it yet, sends what it sent before."""
        sizes = [WorkerSize(slot=one.slot, height=one.height, pinned=one.pinned) for one in body.sizes]
        call = SetSizes(room=consult.appointment, fence=consult.fence, peer=me.id, sizes=sizes)
        try:
            reply = await self._consults.workers.call(worker, call)
        except MediaUnavailable:
            raise UserError("try_again") from None
        if isinstance(reply, Refused) and reply.code in FORGOTTEN:
            await self._placement.forgotten(consult)
            raise ProtocolError("bad_state")

    def _demand_seldom(self, buckets: "WeakKeyDictionary[Socket, TokenBucket]", socket: Socket) -> None:
        bucket = buckets.setdefault(socket, TokenBucket(RATE, BURST, self._clock))
        if not bucket.take():
            raise ProtocolError("rate_limited")
