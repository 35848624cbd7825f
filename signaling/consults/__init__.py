"""The live consults as one node sees them. What a socket asks goes one way through this folder:

    seats      whether its claims let it in now; which place it takes, has, gives up or loses
    runner     the state machine of ``rooms``, and what follows from what it says
    showing    who is sent which view
    messages   what passes between people, and again what a page missed
    workers    calls to the media workers that have the rooms

**Whoever asks is who the socket's claims say, and is in the room only while the document names that very socket.**
"""

from dataclasses import dataclass

from rooms.live import LiveConsults
from signaling.consults.messages import Messages
from signaling.consults.runner import Runner
from signaling.consults.seats import Seats
from signaling.consults.showing import Beside, Showing
from signaling.consults.workers import Workers
from signaling.sockets.server import Gate


@dataclass(frozen=True)
class Consults:
    """What handlers, placement and presence ask; ``node`` is the name of this process."""

    node: str
    gate: Gate
    live: LiveConsults
    runner: Runner
    seats: Seats
    showing: Showing
    messages: Messages
    workers: Workers
    beside: Beside
