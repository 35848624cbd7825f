"""The practitioner's desk: who waits."""

from signaling.consults import Consults, desk_room
from signaling.protocol.errors import ProtocolError, UserError
from signaling.protocol.events import Admit, DeskView, RoomView, Tell, Told
from signaling.protocol.model import Empty
from signaling.sockets.server import NAMESPACE
from signaling.sockets.socket import Socket


async def watch(consults: Consults, socket: Socket, _body: Empty) -> DeskView:
    """Receive ``desk`` from now on."""
    practitioner = socket.claims.practitioner
    if practitioner is None:
        raise ProtocolError("forbidden")
    await consults.gate.enter_room(socket.sid, desk_room(practitioner), namespace=NAMESPACE)
    return await consults.desk(practitioner)


async def admit(consults: Consults, socket: Socket, body: Admit) -> RoomView:
    """Call somebody in, entering too."""
    socket.seen = body.seen
    return await consults.arrive(socket, body.appointment, body.me, take_over=body.take_over, admit=body.participant)


async def tell(consults: Consults, socket: Socket, body: Tell) -> Empty:
    """Pass a canned message to somebody who waits for this practitioner."""
    consult = await consults.live.load(body.appointment)
    if consult is None or consult.owner != socket.claims.practitioner:
        raise UserError("not_found")
    one = consult.find(body.participant)
    if one is None or one.admitted or one.socket is None:
        raise UserError("not_found")
    await consults.say(consult, [one], "told", Told(message=body.message))
    return Empty()
