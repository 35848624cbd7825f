"""Cancelling what is planned: it is destroyed a moment later, and until then that can be taken back.

What is pending stands in the appointment, as its due time: whoever asked may go, and any server's sweeper carries it
out. One whose patient is to be told of that lives until it was done.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from practice.agenda.model import Appointment
from vault.errors import DomainError

UNDO: Final = timedelta(seconds=10)
"""So long after it was done, what somebody did to what is planned can be taken back."""

FAREWELL: Final = timedelta(minutes=10)
"""What is cancelled is gone after this, whether or not its patient could be told."""


def cancelled(appointment: Appointment, now: datetime, *, held: bool, tell: bool = True) -> Appointment:
    """The appointment, cancelled; the first time counts. ``held``: somebody is in the consult; ``tell``: its patient is
    told, if they were told of it.

    Errors: ``ended``, ``bad_state`` (a consult is ended, not cancelled).
    """
    if appointment.state != "planned":
        raise DomainError("ended")
    if held:
        raise DomainError("bad_state")
    return appointment if appointment.cancelled_at else replace(_said(appointment, tell=tell), cancelled_at=now)


def kept(appointment: Appointment) -> Appointment:
    """The appointment, planned as before."""
    return replace(_said(appointment, tell=True), cancelled_at=None)


def _said(one: Appointment, *, tell: bool) -> Appointment:
    """Whether patient and guests are told that it is cancelled."""
    contact = one.contact and replace(one.contact, silent=not tell)
    guests = tuple(
        replace(guest, contact=guest.contact and replace(guest.contact, silent=not tell)) for guest in one.guests
    )
    return replace(one, contact=contact, guests=guests)


def is_off(appointment: Appointment, now: datetime) -> bool:
    """Whether it was cancelled, and that cannot be taken back unnoticed any more: its link leads nowhere."""
    return appointment.cancelled_at is not None and now >= appointment.cancelled_at + UNDO


def leaves(appointment: Appointment) -> datetime | None:
    """The UTC moment at which it is destroyed because it was cancelled, at the latest."""
    return appointment.cancelled_at.astimezone(UTC) + FAREWELL if appointment.cancelled_at else None


def let_go(appointment: Appointment, now: datetime) -> Appointment:
    """One whose patient need not be told any more; as it is where it was not cancelled."""
    if appointment.cancelled_at is None:
        return appointment
    due = max(now, appointment.cancelled_at + UNDO).astimezone(UTC)
    return replace(appointment, due=due if appointment.due is None else min(due, appointment.due))
