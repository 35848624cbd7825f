"""When a patient's link begins and stops to open the waiting room."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from practice.agenda.model import Appointment
from signaling.settings import SignalingSettings

OVERTIME = timedelta(minutes=10)
"""How long a link opens a consult that is over its time, each time that it is asked."""


@dataclass(frozen=True)
class JoinWindow:
    """``early`` before the start of an appointment until ``late`` after its planned end."""

    early: timedelta
    late: timedelta

    @classmethod
    def of(cls, settings: SignalingSettings) -> "JoinWindow":
        """The operator's."""
        return cls(timedelta(minutes=settings.join_early_minutes), timedelta(minutes=settings.join_late_minutes))

    def opens_at(self, appointment: Appointment) -> datetime:
        return appointment.starts_at - self.early

    def closes_at(self, appointment: Appointment, now: datetime, *, running: bool = False) -> datetime:
        """One that is ``running`` over its time must let back in whoever reloads; one that ended is closed now."""
        if appointment.state != "planned":
            return now
        closes = appointment.ends_at + self.late
        return now + OVERTIME if running and closes <= now else closes


def seconds_until(moment: datetime, now: datetime) -> int:
    """Whole seconds, never too few; 0 when it has come."""
    return max(0, ceil((moment - now).total_seconds()))
