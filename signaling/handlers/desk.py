"""The desk of a practitioner, for them and for who works for them: who waits."""

from rooms.announced import Announced
from rooms.consult_events import CallIn as CallingIn
from signaling.consults import Consults
from signaling.greeting import Greeting
from signaling.protocol.errors import ProtocolError, UserError
from signaling.protocol.events import CallIn, DeskView, Tell, Watch
from signaling.protocol.model import Empty
from signaling.protocol.waiting_room import Announce, Decline, Write
from signaling.sockets.socket import Socket


class Desk:
    def __init__(self, consults: Consults, greeting: Greeting) -> None:
        self._consults = consults
        self._greeting = greeting

    async def watch(self, socket: Socket, body: Watch) -> DeskView:
        """Receive ``desk`` from now on."""
        account = _account(socket)
        return await self._greeting.watch(socket, account, body.practitioner or account)

    async def call_in(self, socket: Socket, body: CallIn) -> Empty:
        """Call somebody in to who leads the consult, entering nowhere; by a host to where they are."""
        if socket.claims.practitioner is None:
            consult, _ = await self._consults.seats.leading(socket)
            if consult.appointment != body.appointment:
                raise UserError("not_found")
            await self._consults.runner.apply(consult.appointment, CallingIn(body.participant))
            return Empty()
        await self._greeting.call_in(_account(socket), body.appointment, body.participant)
        return Empty()

    async def tell(self, socket: Socket, body: Tell) -> Empty:
        """Pass a canned message to somebody who waits."""
        await self._greeting.tell(_account(socket), body.appointment, body.participant, body.message)
        return Empty()

    async def write(self, socket: Socket, body: Write) -> Empty:
        """Pass one's own words to somebody who waits."""
        await self._greeting.write(_account(socket), body.appointment, body.participant, body.text)
        return Empty()

    async def decline(self, socket: Socket, body: Decline) -> Empty:
        """Do not receive somebody who waits."""
        await self._greeting.decline(_account(socket), body)
        return Empty()

    async def announce(self, socket: Socket, body: Announce) -> Empty:
        """Say to all who wait how it stands."""
        account = _account(socket)
        await self._greeting.announce(account, body.practitioner or account, Announced(body.status, body.delay))
        return Empty()


def _account(socket: Socket) -> str:
    """Whose socket it is. Errors: ``forbidden`` for a patient's."""
    if socket.claims.practitioner is None:
        raise ProtocolError("forbidden")
    return socket.claims.practitioner
