"""Which browsers of who is signed in are told that somebody waits."""

from signaling.protocol.errors import UserError
from signaling.protocol.pushing import PushOffer, PushState
from signaling.rest.endpoint import Call
from signaling.typedefs import PUSHER, STORE


async def offer(call: Call) -> PushOffer:
    """What a browser subscribes with."""
    pusher = call.request.app[PUSHER]
    return PushOffer(key=pusher.public_key if pusher else None)


async def subscribe(call: Call) -> PushState:
    """This browser is told from now on, until its sign-in ends. Errors: ``push_service``."""
    pusher = call.request.app[PUSHER]
    if pusher is None or not pusher.takes(call.body.endpoint):
        raise UserError("push_service", field="endpoint")
    await call.request.app[STORE].push_subscriptions.subscribe(call.scope, call.body.endpoint, signed_in_by(call))
    return PushState(told=True)


async def renew(call: Call) -> PushState:
    """Its desk is open again, perhaps by another sign-in; whether it is still told."""
    store = call.request.app[STORE].push_subscriptions
    return PushState(told=await store.renew(call.scope, call.body.endpoint, signed_in_by(call)))


async def end(call: Call) -> PushState:
    """It is told nothing more."""
    await call.request.app[STORE].push_subscriptions.end(call.scope, call.body.endpoint)
    return PushState(told=False)


def signed_in_by(call: Call) -> str:
    """The session of a browser, or the family of an app."""
    return call.session or call.family or ""
