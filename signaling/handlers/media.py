"""Offers to the media worker that has the room."""

import logging

from media.control import (
    Answered,
    Call,
    Line,
    MediaUnavailable,
    OfferCall,
    OpenRoom,
    Refused,
    RemovePeer,
    Reply,
    RequestKeyframe,
)
from rooms.consult_events import ChangeMedia, Unusable
from rooms.consult_state import Consult
from signaling.consults import Consults
from signaling.placement import Placement, slot_views
from signaling.protocol.errors import OfferError, ProtocolError, SpreekkamerError, UserError
from signaling.protocol.events import Answer, Keyframe, Offer, RefusedLine
from signaling.protocol.model import Empty
from signaling.sockets.socket import Socket

log = logging.getLogger(__name__)

REFUSALS: dict[str, type[SpreekkamerError]] = {"sdp_invalid": ProtocolError, "room_full": UserError}
FORGOTTEN = frozenset({"no_room", "fenced"})


class Media:
    def __init__(self, consults: Consults, placement: Placement) -> None:
        self._consults = consults
        self._placement = placement

    async def offer(self, socket: Socket, body: Offer) -> Answer:
        """Pass an offer on to the worker and its answer back."""
        consult, me = await self._consults.seats.inside(socket, admitted=True)
        if not consult.ready or consult.worker is None or body.fence != consult.fence:
            raise ProtocolError("bad_state")
        if "screen" in consult.barred and any(one.use == "screen" for one in body.lines):
            raise UserError("not_allowed")
        lines = [Line(mid=one.mid, use=one.use, slot=one.slot) for one in body.lines]
        call = OfferCall(room=consult.appointment, fence=consult.fence, peer=me.id, sdp=body.sdp, lines=lines)
        reply = await self._offer(consult, call)
        if not isinstance(reply, Answered):
            raise UserError("try_again")
        self._consults.gate.spawn(self._note(consult, me.id, tuple(reply.unusable)))
        refused = [RefusedLine(line=one.line, mid=one.mid, reason=one.reason) for one in reply.refused]
        return Answer(
            fence=consult.fence, sdp=reply.sdp, version=reply.version, slots=slot_views(reply.slots), refused=refused
        )

    async def keyframe(self, socket: Socket, body: Keyframe) -> Empty:
        """Ask somebody's browser for a key frame; the worker limits how often."""
        consult, me, one = await self._consults.seats.other(socket, body.participant)
        if not consult.ready:
            raise ProtocolError("bad_state")
        call = RequestKeyframe(room=consult.appointment, fence=consult.fence, peer=one.id, source=body.source, by=me.id)
        await self._ask(consult, call)
        return Empty()

    async def _offer(self, consult: Consult, call: OfferCall) -> Reply:
        """Whoever is in has a place: a worker that has none was not told, or not yet, that the room is larger."""
        try:
            return await self._ask(consult, call)
        except UserError as error:
            if error.code != "room_full":
                raise
        await self._ask(consult, OpenRoom(room=call.room, fence=call.fence, capacity=consult.capacity))
        return await self._ask(consult, call)

    async def _ask(self, consult: Consult, call: Call) -> Reply:
        """A call to the worker that has the room; refusals become wire errors, and a room it lost is placed again."""
        if consult.worker is None:
            raise ProtocolError("bad_state")
        try:
            reply = await self._consults.workers.call(consult.worker, call)
        except MediaUnavailable:
            await self._placement.silent(consult, consult.worker)
            raise UserError("try_again") from None
        if not isinstance(reply, Refused):
            return reply
        if reply.code in FORGOTTEN:
            await self._placement.forgotten(consult)
            raise ProtocolError("bad_state")
        if reply.reason is not None:
            log.info("an offer was refused", extra={"code": reply.code, "cause": reply.reason})
            raise OfferError(reply.reason)
        raise REFUSALS.get(reply.code, ProtocolError)(reply.code if reply.code in REFUSALS else "bad_state")

    async def _note(self, asked: Consult, participant: str, unusable: tuple[Unusable, ...]) -> None:
        """All see that somebody is connecting, and what cannot come of it.

        Who was removed meanwhile must not stay on the worker.
        """
        consult = await self._consults.live.load(asked.appointment)
        one = consult.find(participant) if consult else None
        if consult and one and one.admitted and consult.fence == asked.fence:
            change = ChangeMedia(asked.fence, participant, "connecting", unusable)
            await self._consults.runner.apply(asked.appointment, change)
        elif asked.worker:
            call = RemovePeer(room=asked.appointment, fence=asked.fence, peer=participant)
            try:
                await self._consults.workers.call(asked.worker, call)
            except MediaUnavailable:
                return
