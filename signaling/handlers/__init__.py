"""What client events do. Each part has a method for each of its events, ``(socket, body) -> reply``, called like it.

The gate has checked the body and the role (`signaling/protocol/events.py` says both); a method checks that the socket
has the place that the event needs.

What takes a seat or gives one up is handled by ``signaling.consults.seats`` itself: arriving, admitting, leaving.
``desk`` watches, calls in to somebody else and tells, ``room`` says what is muted, ``media`` offers, ``keys`` shakes
hands, ``chat`` writes, ``report`` says how a connection is, ``groups`` is what consults of more than two have beside.
"""

from signaling.consults import Consults
from signaling.greeting import Greeting
from signaling.handlers.chat import Chat
from signaling.handlers.desk import Desk
from signaling.handlers.groups import Groups
from signaling.handlers.keys import Keys
from signaling.handlers.media import Media
from signaling.handlers.report import Reports
from signaling.handlers.room import Room
from signaling.limiter import Limiter
from signaling.placement import Placement, Recorder
from signaling.protocol.events import CLIENT_EVENTS
from signaling.sockets.acceptance import Handler


def handlers(
    consults: Consults, placement: Placement, diagnostics: Recorder, limiter: Limiter, greeting: Greeting
) -> dict[str, Handler]:
    """The one handler of each client event there is."""
    parts = (
        consults.seats,
        Desk(consults, greeting),
        Room(consults),
        Media(consults, placement),
        Groups(consults, placement),
        Keys(consults, limiter),
        Chat(consults),
        Reports(consults, diagnostics),
    )
    found = {event: [part for part in parts if hasattr(part, method(event))] for event in CLIENT_EVENTS}
    return {event: getattr(part, method(event)) for event, (part,) in found.items()}


def method(event: str) -> str:
    """The name of what handles it."""
    return event.replace("-", "_")
