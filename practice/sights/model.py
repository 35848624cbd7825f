"""Sight of an agenda, as it leaves storage: who asked for it, who gave it, and when it was used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from practice.agenda.model import Glimpse
from vault.records.content import Fields

SightReason = Literal["unreachable", "absent", "moving", "authority"]
"""Why somebody asks. Of a closed list: what somebody types could say anything about anybody."""

Phase = Literal["waiting", "expired", "refused", "open", "over"]

WAITS: Final = timedelta(minutes=30)
"""So long somebody else may give what was asked for."""

LASTS: Final = timedelta(hours=1)
"""So long it can be used from then on."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One of an ``account``'s agenda; ``owner`` is the organisation.

    ``asker`` and ``approver`` are accounts too, and never the same, nor ``account``. ``ender`` is who refused it or
    ended it before its time, None where it lapsed with somebody's right. ``looks`` are the minutes in which it was
    used; ``seen`` is whether the practitioner has said to know of it.
    """

    id: str
    owner: str
    account: str
    asker: str
    reason: SightReason
    asked: datetime
    approver: str | None = None
    given: datetime | None = None
    ended: datetime | None = None
    ender: str | None = None
    looks: tuple[datetime, ...] = ()
    seen: bool = False
    version: int = 1
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)

    @property
    def until(self) -> datetime:
        """When it waits, or is open, no longer."""
        return self.asked + WAITS if self.given is None else self.given + LASTS

    def phase(self, now: datetime) -> Phase:
        """What it is at a moment. Of a clock that was set back nothing is longer."""
        begun = self.asked if self.given is None else self.given
        timely = begun <= now < self.until
        if self.given is None:
            if self.ended is not None:
                return "refused"
            return "waiting" if timely else "expired"
        return "open" if timely and self.ended is None else "over"


@dataclass(frozen=True, slots=True)
class NamedSight:
    """One, its phase, and the shown names of who stands in it, by account: of some there may be none any more."""

    sight: Sight
    phase: Phase
    names: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Look:
    """What whoever asked reads once it is open, sorted by start; ``unreadable`` is how many cannot be read."""

    sight: Sight
    glimpses: Sequence[Glimpse] = field(repr=False)
    unreadable: int
