"""The practitioner's desk: who waits."""

from signaling.consults import Consults
from signaling.protocol.errors import ProtocolError, UserError
from signaling.protocol.events import Admit, DeskView, RoomView, Tell, Told
from signaling.protocol.model import Empty
from signaling.sockets.socket import Socket


class Desk:
    def __init__(self, consults: Consults) -> None:
        self._consults = consults

    async def watch(self, socket: Socket, _body: Empty) -> DeskView:
        """Receive ``desk`` from now on."""
        practitioner = socket.claims.practitioner
        if practitioner is None:
            raise ProtocolError("forbidden")
        return await self._consults.showing.watch(socket, practitioner)

    async def admit(self, socket: Socket, body: Admit) -> RoomView:
        """Call somebody in, entering too."""
        socket.seen = body.seen
        return await self._consults.seats.arrive(
            socket, body.appointment, body.me, take_over=body.take_over, admit=body.participant
        )

    async def tell(self, socket: Socket, body: Tell) -> Empty:
        """Pass a canned message to somebody who waits for this practitioner."""
        consult = await self._consults.live.load(body.appointment)
        if consult is None or consult.owner != socket.claims.practitioner:
            raise UserError("not_found")
        one = consult.find(body.participant)
        if one is None or one.admitted or one.socket is None:
            raise UserError("not_found")
        await self._consults.messages.say(consult, [one], "told", Told(message=body.message))
        return Empty()
