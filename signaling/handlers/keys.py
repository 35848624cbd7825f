"""The key handshake: passed on between those who are in, never read."""

from rooms.consult_events import RestartKeys
from rooms.consult_state import Consult, Participant
from signaling.consults import Consults
from signaling.limiter import KEY_RESTARTS, Limiter
from signaling.protocol.errors import ProtocolError, UserError
from signaling.protocol.events import (
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


async def commit(consults: Consults, socket: Socket, body: KeyCommit) -> Empty:
    """Step 1, to all others."""
    consult, me = await _member(consults, socket, body.epoch)
    message = KeyCommitted(sender=me.id, **body.model_dump())
    return await _pass_on(consults, consult, me, "key-commit", message)


async def reveal(consults: Consults, socket: Socket, body: KeyReveal) -> Empty:
    """Step 2, to all others."""
    consult, me = await _member(consults, socket, body.epoch)
    message = KeyRevealed(sender=me.id, **body.model_dump())
    return await _pass_on(consults, consult, me, "key-reveal", message)


async def wrap(consults: Consults, socket: Socket, body: KeyWrap) -> Empty:
    """Step 3, to one other."""
    consult, me = await _member(consults, socket, body.epoch)
    to = consult.find(body.to)
    if to is None or not to.admitted or to.id == me.id:
        raise UserError("not_found")
    await consults.say(consult, [to], "key-wrap", KeyWrapped(epoch=body.epoch, sender=me.id, wrapped=body.wrapped))
    return Empty()


async def restart(consults: Consults, limiter: Limiter, socket: Socket, body: KeyRestart) -> Empty:
    """Begin the next epoch; of several members that ask, the first does it. ``rate_limited`` for who goes on and on."""
    consult, me = await consults.inside(socket, admitted=True)
    if consult.epoch == body.epoch:
        await limiter.count(KEY_RESTARTS, f"{consult.appointment}:{me.seat}")
    await consults.apply(consult.appointment, RestartKeys(body.epoch))
    return Empty()


async def _member(consults: Consults, socket: Socket, epoch: int) -> tuple[Consult, Participant]:
    """The caller, if this is still the epoch that everybody is in."""
    consult, me = await consults.inside(socket, admitted=True)
    if consult.epoch != epoch or len(consult.admitted) < 2:
        raise ProtocolError("bad_state")
    return consult, me


async def _pass_on(consults: Consults, consult: Consult, me: Participant, event: str, message: Message) -> Empty:
    await consults.say(consult, [one for one in consult.admitted if one.id != me.id], event, message)
    return Empty()
