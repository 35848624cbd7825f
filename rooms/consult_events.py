"""What can happen to a live consult, and what has to be done about it: the vocabulary of ``rooms.consult``.

Everything here is plain data and ids only. Sockets are Socket.IO session ids; a node is one running application
process; moments are milliseconds since the Unix epoch.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from rooms.device_check import DeviceCheck

REFRESH = timedelta(minutes=20)

MediaState = Literal["new", "connecting", "connected", "reconnecting", "failed"]
Feature = Literal["chat", "screen"]
Unusable = Literal["microphone", "camera", "screen", "hearing", "seeing"]
EndReason = Literal["ended", "left", "cancelled", "expired", "removed"]
Tally = Literal["consults", "absent", "short", "middle", "long"]


@dataclass(frozen=True, slots=True)
class Indicators:
    """What somebody says to be sending."""

    microphone: bool = True
    camera: bool = True
    screen: bool = False


# --- events ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrive:
    """A page takes a seat, for the first time or again.

    ``lineage`` and ``issued`` come from a resume ticket that says *admitted*: who was once called in, and when the
    ticket was written. ``silent`` are sockets that were asked whether they are still there and did not answer.
    ``replay``: the page can be sent again what it missed. ``family``: of the refresh tokens that it comes from;
    ``session``: the reference of the browser's session. ``number``: of who came to an open hour. ``capacity``: how many
    its appointment is for now.
    """

    participant: str
    seat: str
    role: str
    socket: str
    node: str
    take_over: bool = False
    silent: frozenset[str] = frozenset()
    lineage: str | None = None
    issued: int = 0
    replay: bool = False
    family: str | None = None
    session: str | None = None
    number: int | None = None
    capacity: int = 2


@dataclass(frozen=True, slots=True)
class Admit:
    """The practitioner calls ``participant`` in, and enters too by ``me``."""

    me: Arrive
    participant: str


@dataclass(frozen=True, slots=True)
class CallIn:
    """Somebody who may calls ``participant`` in to who leads the consult, and takes no place."""

    participant: str


@dataclass(frozen=True, slots=True)
class LoseSocket:
    """A socket closed; the seat is held for ``HOLD``."""

    participant: str
    socket: str


@dataclass(frozen=True, slots=True)
class Leave:
    """Somebody gives up the seat; when nobody is left who leads the consult, it ends."""

    participant: str


@dataclass(frozen=True, slots=True)
class Remove:
    """``by``, who leads the consult, puts somebody out who is in; by their link they may wait again."""

    by: str
    participant: str


@dataclass(frozen=True, slots=True)
class Lock:
    """``by``, who leads the consult, lets nobody new as far as the waiting room, or lets them again."""

    by: str
    locked: bool


@dataclass(frozen=True, slots=True)
class HandOver:
    """``by``, the practitioner, has a guest lead the consult beside them; ``by`` itself takes it back."""

    by: str
    participant: str


@dataclass(frozen=True, slots=True)
class Grow:
    """So many may be in now. Fewer than before changes nothing: whoever is in stays."""

    capacity: int


@dataclass(frozen=True, slots=True)
class Close:
    """The appointment was cancelled, destroyed or has expired."""

    reason: EndReason


@dataclass(frozen=True, slots=True)
class Vacate:
    """Whoever sits or waits in this seat takes part no more: their link leads nowhere."""

    seat: str


@dataclass(frozen=True, slots=True)
class Replan:
    """What was planned is another: ``plan`` is the version of the appointment. An older one changes nothing."""

    plan: int


@dataclass(frozen=True, slots=True)
class Indicate:
    participant: str
    indicators: Indicators


@dataclass(frozen=True, slots=True)
class Check:
    """Whoever waits says how their devices are."""

    participant: str
    found: DeviceCheck


@dataclass(frozen=True, slots=True)
class Write:
    """The desk says something to whoever waits, instead of what it said before; ``words`` are sealed."""

    participant: str
    words: str


@dataclass(frozen=True, slots=True)
class Say:
    """Whoever waits says something to the desk, likewise."""

    participant: str
    words: str


@dataclass(frozen=True, slots=True)
class Decline:
    """Whoever waits is not received now; by their link they may come again."""

    participant: str


@dataclass(frozen=True, slots=True)
class PutBack:
    """Whoever is in waits again, as long as the practitioner wants; without media and without keys."""

    participant: str


@dataclass(frozen=True, slots=True)
class RestartKeys:
    """The handshake of ``epoch`` cannot be finished. One that is already over changes nothing."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Assign:
    """Give the room to a worker; takes effect only while ``unless`` is the fence, so two nodes cannot both do it."""

    worker: str
    unless: int


@dataclass(frozen=True, slots=True)
class RoomOpened:
    """The worker has the room."""

    fence: int


@dataclass(frozen=True, slots=True)
class LoseWorker:
    """The worker is gone or does not know the room any more."""

    fence: int


@dataclass(frozen=True, slots=True)
class ChangeMedia:
    """News of a participant's media transport. ``unusable``: what its last offer left impossible; None: no news."""

    fence: int
    participant: str
    media: MediaState
    unusable: tuple[Unusable, ...] | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed. ``nodes`` and ``workers`` are those alive; None: not known, so nobody is declared dead.

    A room in which nothing happened for ``refresh`` is shown anew: tickets and TURN credentials expire.
    """

    nodes: frozenset[str] | None = None
    workers: frozenset[str] | None = None
    refresh: timedelta = REFRESH


MediaEvent = RestartKeys | Assign | RoomOpened | LoseWorker | ChangeMedia
WaitingEvent = Check | Write | Say | Decline | PutBack
LeadingEvent = Leave | Remove | Lock | HandOver
SeatEvent = Arrive | Admit | CallIn | Close | Vacate | Replan | Grow | LoseSocket | Indicate | Tick
Event = SeatEvent | MediaEvent | WaitingEvent | LeadingEvent


# --- effects ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Show:
    """Everybody with a socket gets a new view of the room."""


@dataclass(frozen=True, slots=True)
class ShowDesk:
    """The practitioner's desk changed."""


@dataclass(frozen=True, slots=True)
class TakenOver:
    """Another page took this place: tell the socket and close it."""

    socket: str


@dataclass(frozen=True, slots=True)
class Drop:
    """The same page came back on another socket: close the old one."""

    socket: str


@dataclass(frozen=True, slots=True)
class TellEnded:
    """The consult is over for whoever is behind this socket."""

    socket: str
    reason: EndReason


@dataclass(frozen=True, slots=True)
class PlaceRoom:
    """The room needs a worker."""


@dataclass(frozen=True, slots=True)
class GrowRoom:
    """The room on its worker is for so many now."""

    worker: str
    fence: int
    capacity: int


@dataclass(frozen=True, slots=True)
class RemovePeer:
    worker: str
    fence: int
    participant: str


@dataclass(frozen=True, slots=True)
class CloseRoom:
    worker: str
    fence: int


@dataclass(frozen=True, slots=True)
class Count:
    """One more of it, for statistics."""

    what: Tally


Effect = Count | Show | ShowDesk | TakenOver | Drop | TellEnded | PlaceRoom | GrowRoom | RemovePeer | CloseRoom
