"""What retention says of itself."""

from dataclasses import dataclass
from datetime import datetime


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
