"""Coming into a room, being there, leaving it."""

from rooms.consult_events import Indicate
from rooms.consult_events import Indicators as IndicatorState
from signaling.consults import Consults
from signaling.protocol.events import Arrive, Indicators, RoomView
from signaling.protocol.model import Empty
from signaling.sockets.socket import Socket


async def arrive(consults: Consults, socket: Socket, body: Arrive) -> RoomView:
    """Wait for the practitioner; the practitioner is in at once."""
    socket.seen = body.seen
    return await consults.arrive(socket, body.appointment, body.participant, take_over=body.take_over)


async def snapshot(consults: Consults, socket: Socket, _body: Empty) -> RoomView:
    """The room as it is now, with a fresh resume ticket."""
    consult, me = await consults.inside(socket)
    return consults.view(consult, me)


async def indicate(consults: Consults, socket: Socket, body: Indicators) -> Empty:
    """Show the others what is muted."""
    consult, me = await consults.inside(socket)
    said = IndicatorState(microphone=body.microphone, camera=body.camera, screen=body.screen)
    await consults.apply(consult.appointment, Indicate(me.id, said))
    return Empty()


async def leave(consults: Consults, socket: Socket, _body: Empty) -> Empty:
    """Give the place up; the practitioner ends the consult by it."""
    await consults.leave(socket)
    return Empty()
