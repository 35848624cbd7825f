"""The nouns of the domain as they leave storage: decrypted, immutable, silent in ``repr``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

Language = Literal["nl", "en", "de", "fr"]
Retention = Literal["end", "24h", "7d", "30d", "90d", "manual"]
State = Literal["planned", "ended", "destroying"]

RETENTION: dict[Retention, timedelta | None] = {
    "end": timedelta(0),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
    "manual": None,
}
"""Time between the end of a consult and its destruction (S-29)."""


@dataclass(frozen=True, slots=True)
class Practitioner:
    """A professional with an account. ``retention`` is the one central setting (S-29).

    ``unknown`` is what a newer program keeps beside these fields.
    """

    id: str
    mail: str = field(repr=False)
    display_name: str = field(repr=False)
    language: Language
    retention: Retention
    version: int
    unknown: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Appointment:
    """What was planned. ``starts_at`` keeps the offset it was planned with, so ``starts_at.date()`` is the local day.

    ``secret`` is the second half of the patient's link. ``due`` is the UTC moment of destruction, None for never.
    ``state`` is what storage says: a running consult is still ``planned``. ``unknown`` is what a newer program keeps
    beside these fields: who writes the appointment anew writes it too.
    """

    id: str
    owner: str
    patient: str = field(repr=False)
    starts_at: datetime = field(repr=False)
    minutes: int
    language: Language
    state: State
    ended_at: datetime | None = field(repr=False)
    secret: str = field(repr=False)
    due: datetime | None = field(repr=False)
    version: int
    unknown: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def ends_at(self) -> datetime:
        """The planned end."""
        return self.starts_at + timedelta(minutes=self.minutes)


@dataclass(frozen=True, slots=True)
class Damaged:
    """What is known of an appointment that cannot be read; ``newer`` where only an older program cannot."""

    id: str
    owner: str
    state: State
    newer: bool = False


@dataclass(frozen=True, slots=True)
class Agenda:
    """Appointments by their start, and those of the same owner whose start nobody can read."""

    appointments: list[Appointment]
    damaged: list[Damaged]


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof of an irrecoverable destruction (S-31): a keyed hash of the id, when, and the key store's generation."""

    receipt: str
    destroyed_at: datetime
    generation: int


@dataclass(frozen=True, slots=True)
class RetentionStatus:
    """For readiness and metrics. Seconds; no ids.

    ``paused`` is a sentence (the clock cannot be trusted) or None. ``overdue`` counts living appointments past due;
    ``lag`` is how long the oldest of them is past due, or since when nobody could say: sweeps know both, so both are
    as old as the last one. ``idle`` is since a sweep was at work, on whichever server; ``failures`` counts those that
    failed since one did not. ``waiting`` practitioners' keys wait for a new epoch, the oldest for ``waiting_seconds``.
    ``alarms`` counts rows that have neither a key nor a receipt; ``compared`` is how much of
    all was looked at for that since the start, from 0 to 1. ``unreadable`` counts those that were found damaged,
    ``newer`` those that a newer version of the program wrote. ``behind`` is how far the wall clock is behind the time
    that passed.
    """

    locked: str | None
    paused: str | None
    overdue: int
    lag: float
    alarms: int
    compared: float
    unreadable: int
    newer: int
    behind: float
    idle: float
    failures: int
    waiting: int
    waiting_seconds: float
    last_sweep: datetime | None
