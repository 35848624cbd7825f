"""Runs the state machine of the rooms and carries out what follows, in the order in which it says so."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from media.control import CloseRoom as CloseRoomCall
from media.control import OpenRoom
from media.control import RemovePeer as RemovePeerCall
from rooms.consult_events import (
    Arrive,
    CloseRoom,
    Count,
    Drop,
    Effect,
    Event,
    GrowRoom,
    PlaceRoom,
    RemovePeer,
    Show,
    ShowDesk,
    TakenOver,
    Tally,
    TellEnded,
)
from rooms.consult_state import PRACTITIONER, Consult
from rooms.live import LiveConsults
from signaling.protocol.events import Ended
from signaling.protocol.model import Empty, Message
from signaling.sockets import endings
from signaling.sockets.endings import Ending


@dataclass(frozen=True)
class Port:
    """What effects reach. ``show`` leaves out the one socket that gets its view as a reply; ``tell`` and ``end`` keep
    their order; ``show_desk``, ``place``, ``tidy``, ``count``, ``arrived`` and ``over`` come back at once.
    """

    show: Callable[[Consult, str | None], Awaitable[None]]
    show_desk: Callable[[str], None]
    tell: Callable[[str, str, Message], Awaitable[None]]
    end: Callable[[str, Ending], Awaitable[None]]
    place: Callable[[str], None]
    tidy: Callable[[str, OpenRoom | RemovePeerCall | CloseRoomCall], None]
    forget_messages: Callable[[str], Awaitable[None]]
    count: Callable[[Consult, Tally], None]
    arrived: Callable[[str], None]
    over: Callable[[Consult], None]


class Runner:
    """One for a node."""

    def __init__(self, live: LiveConsults, port: Port) -> None:
        self._live = live
        self._port = port

    async def apply(
        self, appointment: str, event: Event, *, absent: Consult | None = None, answered: str | None = None
    ) -> Consult:
        """Store what the event changes and do what follows. ``answered`` is a socket that gets its view as a reply.

        ``absent`` as for ``LiveConsults.transition``, whose errors pass through.
        """
        consult, effects = await self._live.transition(appointment, event, absent=absent)
        for effect in effects:
            await self._carry_out(consult, effect, answered)
        if effects and isinstance(event, Arrive) and _waits_anew(consult, event.participant):
            self._port.arrived(consult.owner)
        if consult.ended:
            await self._port.forget_messages(appointment)
            self._port.over(consult)
        return consult

    async def _carry_out(self, consult: Consult, effect: Effect, answered: str | None) -> None:
        port = self._port
        match effect:
            case Show():
                await port.show(consult, answered)
            case ShowDesk():
                port.show_desk(consult.owner)
            case TakenOver(socket):
                await port.tell(socket, "taken-over", Empty())
                await port.end(socket, endings.TAKEN_OVER)
            case Drop(socket):
                await port.end(socket, endings.REPLACED)
            case TellEnded(socket, reason):
                await port.tell(socket, "ended", Ended(reason=reason))
            case Count(what):
                port.count(consult, what)
            case PlaceRoom():
                port.place(consult.appointment)
            case GrowRoom(worker, fence, capacity):
                port.tidy(worker, OpenRoom(room=consult.appointment, fence=fence, capacity=capacity))
            case RemovePeer(worker, fence, peer):
                port.tidy(worker, RemovePeerCall(room=consult.appointment, fence=fence, peer=peer))
            case CloseRoom(worker, fence):
                port.tidy(worker, CloseRoomCall(room=consult.appointment, fence=fence))


def _waits_anew(consult: Consult, participant: str) -> bool:
    """Whether somebody came in this very change, to wait: who only comes back has been here before."""
    one = consult.find(participant)
    return one is not None and not one.admitted and one.seat != PRACTITIONER and one.since == consult.touched
