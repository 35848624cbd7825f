"""Retention: when an appointment must be gone."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, timedelta

from rooms.audit import Draft
from rooms.clock import Clock
from rooms.model import RETENTION, Appointment, Retention

logger = logging.getLogger(__name__)

OVERRUN = timedelta(minutes=30)
"""A consult that never ended counts as ended this long after its planned end: when, by default, its link closes."""

LONGEST_CONSULT = timedelta(hours=24)
"""A running consult is waited for, but no longer than this after its due time (S-30)."""


async def nothing(_: str) -> None:
    """No caches."""


async def nobody(_: str) -> bool:
    """No running consults."""
    return False


async def no_trail(_: Sequence[Draft]) -> None:
    """Nowhere to enter what was destroyed."""


@dataclass
class Hooks:
    """What other parts hang in: the first two take an appointment's id, ``on_close`` a practitioner's.

    Each may be called again for the same one. ``destroyed`` enters what is irrecoverable from now on.
    """

    on_destroy: Callable[[str], Awaitable[None]] = nothing
    in_progress: Callable[[str], Awaitable[bool]] = nobody
    on_close: Callable[[str], Awaitable[None]] = nothing
    on_due: Callable[[], None] = lambda: None
    destroyed: Callable[[Sequence[Draft]], Awaitable[None]] = no_trail


class Deadline:
    """Due times under the operator's cap, and whether one has passed."""

    def __init__(self, clock: Clock, hooks: Hooks, cap: int | None) -> None:
        self._clock = clock
        self._hooks = hooks
        self.cap = cap
        self._cap = None if cap is None else timedelta(days=cap)

    def span(self, retention: Retention) -> timedelta | None:
        """From the end of a consult to its destruction; None is never."""
        chosen = RETENTION[retention]
        if self._cap is None:
            return chosen
        return self._cap if chosen is None else min(chosen, self._cap)

    def with_due(self, appointment: Appointment, retention: Retention) -> Appointment:
        """The appointment with its due time under this setting. One that has passed stays: nothing is revived."""
        if appointment.due is not None and appointment.due <= self._clock.now():
            return appointment
        span = self.span(retention)
        end = appointment.ended_at or appointment.ends_at + OVERRUN
        return replace(appointment, due=None if span is None else end.astimezone(UTC) + span)

    def past(self, appointment: Appointment) -> bool:
        """Whether the due time has passed."""
        return appointment.due is not None and appointment.due <= self._clock.now()

    async def forbids(self, appointment: Appointment, *, unsure: bool = True) -> bool:
        """Past due and not in a running consult: no read path may give it, and the sweeper destroys it.

        ``unsure`` is the answer when nobody can say whether a consult runs: readers refuse, the sweeper waits.
        """
        if not self.past(appointment) or appointment.due is None:
            return False
        if self._clock.now() >= appointment.due + LONGEST_CONSULT:
            return True
        try:
            return not await self._hooks.in_progress(appointment.id)
        except Exception:
            logger.exception("nobody can say whether a consult runs")
            return unsure

    def within_a_minute(self, appointment: Appointment) -> bool:
        """Whether the sweeper will have destroyed it a minute from now."""
        return appointment.due is not None and appointment.due <= self._clock.now() + timedelta(minutes=1)
