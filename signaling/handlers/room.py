"""Being in a room."""

from practice.names import named
from rooms.consult_events import Check as CheckEvent
from rooms.consult_events import Indicate
from rooms.consult_events import Indicators as IndicatorState
from rooms.consult_events import PutBack as PuttingBack
from rooms.consult_events import Say as SayEvent
from rooms.device_check import DeviceCheck
from signaling.consults import Consults
from signaling.protocol.errors import UserError
from signaling.protocol.events import Indicators, RoomView
from signaling.protocol.model import Empty
from signaling.protocol.waiting_room import MOST_WORDS, Check, PutBack, Say
from signaling.sockets.socket import Socket


class Room:
    def __init__(self, consults: Consults) -> None:
        self._consults = consults

    async def snapshot(self, socket: Socket, _body: Empty) -> RoomView:
        """The room as it is now, with a fresh resume ticket."""
        consult, me = await self._consults.seats.inside(socket)
        return self._consults.showing.view(consult, me)

    async def indicate(self, socket: Socket, body: Indicators) -> Empty:
        """Show the others what is muted."""
        consult, me = await self._consults.seats.inside(socket)
        said = IndicatorState(microphone=body.microphone, camera=body.camera, screen=body.screen)
        await self._consults.runner.apply(consult.appointment, Indicate(me.id, said))
        return Empty()

    async def check(self, socket: Socket, body: Check) -> Empty:
        """Show the desk how the devices of whoever waits are."""
        consult, me = await self._consults.seats.inside(socket)
        found = DeviceCheck(microphone=body.microphone, camera=body.camera)
        await self._consults.runner.apply(consult.appointment, CheckEvent(me.id, found))
        return Empty()

    async def say(self, socket: Socket, body: Say) -> Empty:
        """Show the desk what whoever waits says. Errors: ``invalid`` (``text``)."""
        consult, me = await self._consults.seats.inside(socket)
        words = named(body.text, "text", MOST_WORDS)
        sealed = self._consults.beside.words.sealed(words, consult.appointment, me.seat, "said")
        await self._consults.runner.apply(consult.appointment, SayEvent(me.id, sealed))
        return Empty()

    async def put_back(self, socket: Socket, body: PutBack) -> Empty:
        """Make somebody who is in wait again. Errors: ``forbidden``, ``not_found``, ``bad_state``."""
        consult, me = await self._consults.seats.leading(socket)
        if body.participant == me.id:
            raise UserError("not_found")
        await self._consults.runner.apply(consult.appointment, PuttingBack(body.participant))
        return Empty()
