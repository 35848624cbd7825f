"""The key handshake: passed on between those who are in, never read."""

from rooms.consult_events import RestartKeys
from rooms.consult_state import Consult, Participant
from signaling.consults import Consults
from signaling.limiter import KEY_RESTARTS, Limiter
from signaling.protocol.errors import ProtocolError, UserError
from signaling.protocol.handshake import (
    KeyCommit,
    KeyCommitted,
    KeyRestart,
    KeyReveal,
    KeyRevealed,
    KeyWrap,
    KeyWrapped,
)
from signaling.protocol.model import Empty, Message
from signaling.sockets.socket import Socket


class Keys:
    def __init__(self, consults: Consults, limiter: Limiter) -> None:
        self._consults = consults
        self._limiter = limiter

    async def key_commit(self, socket: Socket, body: KeyCommit) -> Empty:
        """Step 1, to all others."""
        consult, me = await self._member(socket, body.epoch)
        return await self._pass_on(consult, me, "key-commit", KeyCommitted(sender=me.id, **body.model_dump()))

    async def key_reveal(self, socket: Socket, body: KeyReveal) -> Empty:
        """Step 2, to all others."""
        consult, me = await self._member(socket, body.epoch)
        return await self._pass_on(consult, me, "key-reveal", KeyRevealed(sender=me.id, **body.model_dump()))

    async def key_wrap(self, socket: Socket, body: KeyWrap) -> Empty:
        """Step 3, to one other."""
        consult, me = await self._member(socket, body.epoch)
        to = consult.find(body.to)
        if to is None or not to.admitted or to.id == me.id:
            raise UserError("not_found")
        message = KeyWrapped(epoch=body.epoch, sender=me.id, wrapped=body.wrapped)
        await self._consults.messages.say(consult, [to], "key-wrap", message)
        return Empty()

    async def key_restart(self, socket: Socket, body: KeyRestart) -> Empty:
        """Begin the next epoch; of several members that ask, the first does it.

        Errors: ``rate_limited`` for who goes on and on.
        """
        consult, me = await self._consults.seats.inside(socket, admitted=True)
        if consult.epoch == body.epoch:
            await self._limiter.count(KEY_RESTARTS, f"{consult.appointment}:{me.seat}")
        await self._consults.runner.apply(consult.appointment, RestartKeys(body.epoch))
        return Empty()

    async def _member(self, socket: Socket, epoch: int) -> tuple[Consult, Participant]:
        """The caller, if this is still the epoch that everybody is in."""
        consult, me = await self._consults.seats.inside(socket, admitted=True)
        if consult.epoch != epoch or len(consult.admitted) < 2:
            raise ProtocolError("bad_state")
        return consult, me

    async def _pass_on(self, consult: Consult, me: Participant, event: str, message: Message) -> Empty:
        others = [one for one in consult.admitted if one.id != me.id]
        await self._consults.messages.say(consult, others, event, message)
        return Empty()
