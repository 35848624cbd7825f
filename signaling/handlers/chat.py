"""Chat: ciphertext in, ciphertext out; kept for two minutes only, and only for a page that can catch up."""

from signaling.consults import Consults
from signaling.protocol.errors import UserError
from signaling.protocol.events import Chat as ChatBody
from signaling.protocol.events import ChatFrom
from signaling.protocol.model import Empty
from signaling.sockets.socket import Socket


class Chat:
    def __init__(self, consults: Consults) -> None:
        self._consults = consults

    async def chat(self, socket: Socket, body: ChatBody) -> Empty:
        """To all others who are in, or to one of them; ``not_found`` if nobody is there to get it."""
        consult, me = await self._consults.seats.inside(socket, admitted=True)
        if "chat" in consult.barred:
            raise UserError("not_allowed")
        receivers = [one for one in consult.admitted if one.id != me.id and body.to in (None, one.id)]
        if not any(one.socket or one.replay for one in receivers):
            raise UserError("not_found")
        message = ChatFrom(sender=me.id, ciphertext=body.ciphertext)
        await self._consults.messages.say(consult, receivers, "chat", message)
        return Empty()
