"""Chat: ciphertext in, ciphertext out; kept for two minutes only, and only for a page that can catch up."""

from signaling.consults import Consults
from signaling.protocol.errors import UserError
from signaling.protocol.events import Chat, ChatFrom
from signaling.protocol.model import Empty
from signaling.sockets.socket import Socket


async def chat(consults: Consults, socket: Socket, body: Chat) -> Empty:
    """To all others who are in, or to one of them; ``not_found`` if nobody is there to get it."""
    consult, me = await consults.inside(socket, admitted=True)
    receivers = [one for one in consult.admitted if one.id != me.id and body.to in (None, one.id)]
    if not any(one.socket or one.replay for one in receivers):
        raise UserError("not_found")
    await consults.say(consult, receivers, "chat", ChatFrom(sender=me.id, ciphertext=body.ciphertext))
    return Empty()
