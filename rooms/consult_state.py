"""The document of a live consult: who sits where, on which media worker, under which keys. Ids only."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Literal

from rooms.consult_events import EndReason, Feature, Indicators, MediaState, Unusable
from rooms.device_check import DeviceCheck
from vault.errors import DomainError

PRACTITIONER = "practitioner"
"""The practitioner's seat."""

GUEST = "guest"
"""The role of whoever has a seat of their own beside patient and practitioner: its name is their id in the appointment.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """One page in a seat. ``socket`` is None while it is away, ``gone`` then says since when.

    ``lineage`` is the participant that the practitioner called in; reloads inherit it. ``family`` is that of an app's
    sign-in, which ends its resume tickets; ``session`` the reference of a browser's, which being here keeps in use.
    ``unusable``: what its client and the relay have no common form for.
    ``check``: what it said of its devices while it waited. ``written`` and ``said``: what the desk wrote to who waits,
    and they to the desk, sealed (``rooms.words``); gone when they are let in. ``held``: they were
    in, and were put back. ``number``: in the queue of an open hour.
    """

    id: str
    seat: str
    role: str
    lineage: str | None
    since: int
    socket: str | None
    node: str | None
    gone: int | None = None
    media: MediaState = "new"
    indicators: Indicators = field(default_factory=Indicators)
    replay: bool = False
    family: str | None = None
    session: str | None = None
    unusable: tuple[Unusable, ...] = ()
    check: DeviceCheck | None = None
    written: str | None = None
    said: str | None = None
    held: bool = False
    number: int | None = None

    @property
    def admitted(self) -> bool:
        return self.lineage is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consult:
    """The document. ``owner`` is the practitioner's id; ``born`` and ``touched`` are milliseconds since the epoch.

    ``barred`` is what it does not have: as its organisation had decided when it began.
    ``plan`` is the version of the appointment that people here were last told of; 0 before it changed. ``met`` is when
    two were in it for the first time, 0 before. ``capacity``: how many may be in. ``host`` is the lineage of a guest
    who leads it beside the practitioner. ``locked``: nobody new comes; ``removed`` are seats of which somebody was put
    out and nobody was called in since.
    """

    schema: Literal[1] = 1
    appointment: str
    owner: str
    capacity: int = 2
    born: int
    touched: int
    version: int
    participants: tuple[Participant, ...] = ()
    worker: str | None = None
    fence: int = 0
    ready: bool = False
    assigned: int = 0
    epoch: int = 0
    plan: int = 0
    met: int = 0
    ended: EndReason | None = None
    barred: tuple[Feature, ...] = ()
    host: str | None = None
    locked: bool = False
    removed: tuple[str, ...] = ()

    @property
    def admitted(self) -> tuple[Participant, ...]:
        """Who is in, ordered by id bytewise: the order of the key handshake."""
        return tuple(sorted((one for one in self.participants if one.admitted), key=lambda one: one.id))

    @property
    def waiting(self) -> tuple[Participant, ...]:
        return tuple(one for one in self.participants if not one.admitted)

    @property
    def practitioner(self) -> Participant | None:
        return next((one for one in self.participants if one.seat == PRACTITIONER), None)

    @property
    def is_group(self) -> bool:
        """Whether more than two may be in."""
        return self.capacity > 2

    @property
    def is_led(self) -> bool:
        """Whether somebody has a place here who leads it."""
        return any(map(self.leads, self.participants))

    def is_host(self, one: Participant) -> bool:
        """Whether this guest leads it beside the practitioner."""
        return self.host is not None and one.lineage == self.host

    def leads(self, one: Participant) -> bool:
        """Whether this participant lets people in, puts them back or out, and locks it."""
        return one.seat == PRACTITIONER or self.is_host(one)

    def ends_without(self, one: Participant) -> bool:
        """Whether it is over when this one leaves: nobody else leads it."""
        return self.leads(one) and not self.without({one.id}).is_led

    def having(self, changed: Participant) -> "Consult":
        """The same with this participant as it is now."""
        people = tuple(changed if one.id == changed.id else one for one in self.participants)
        return replace(self, participants=people)

    def without(self, gone: Collection[str]) -> "Consult":
        """The same without these participants."""
        return replace(self, participants=tuple(one for one in self.participants if one.id not in gone))

    def present(self, participant: str) -> Participant:
        """Errors: ``bad_state`` for somebody who is not here."""
        one = self.find(participant)
        if one is None:
            raise DomainError("bad_state")
        return one

    def find(self, participant: str) -> Participant | None:
        return next((one for one in self.participants if one.id == participant), None)
