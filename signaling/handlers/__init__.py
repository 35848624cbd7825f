"""One coroutine per client event: ``(socket, body) -> reply``.

The gate has checked the body and the role; a handler checks that the socket has the place that the event needs.
"""

from functools import partial

from signaling.consults import Consults
from signaling.handlers import chat, desk, keys, media, report, room
from signaling.limiter import Limiter
from signaling.placement import Placement, Recorder
from signaling.sockets.server import Handler
from signaling.sockets.socket import ROOM

LANES = {
    "arrive": ROOM,
    "admit": ROOM,
    "snapshot": ROOM,
    "indicate": ROOM,
    "leave": ROOM,
    "key-commit": "keys",
    "key-reveal": "keys",
    "key-wrap": "keys",
    "key-restart": "keys",
}
"""Events of one lane keep their order; any other event is a lane of its own."""


def handlers(consults: Consults, placement: Placement, diagnostics: Recorder, limiter: Limiter) -> dict[str, Handler]:
    """The handler of each client event."""
    return {
        "watch": partial(desk.watch, consults),
        "admit": partial(desk.admit, consults),
        "tell": partial(desk.tell, consults),
        "arrive": partial(room.arrive, consults),
        "snapshot": partial(room.snapshot, consults),
        "indicate": partial(room.indicate, consults),
        "leave": partial(room.leave, consults),
        "offer": partial(media.offer, consults, placement),
        "keyframe": partial(media.keyframe, consults, placement),
        "key-commit": partial(keys.commit, consults),
        "key-reveal": partial(keys.reveal, consults),
        "key-wrap": partial(keys.wrap, consults),
        "key-restart": partial(keys.restart, consults, limiter),
        "chat": partial(chat.chat, consults),
        "report": partial(report.report, consults, diagnostics),
    }
