"""Who is told of an appointment: its patient and each of its guests, each as if it was theirs alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from practice.agenda.model import Appointment, told_as
from practice.invitations.model import Dispatch, Way
from practice.invitations.rules import Telling, plan

Marks = Callable[[Appointment], Mapping[Way, str]]
"""The marks of the addresses by which whoever this appointment is told as can be told."""


def parties(one: Appointment) -> Iterator[Appointment]:
    """The appointment as each of them is told of it, the patient first."""
    yield one
    yield from (told_as(one, guest) for guest in one.guests)


def as_told(one: Appointment, dispatch: Dispatch) -> Appointment:
    """As whom this dispatch is for is told of it; without an address where that is no guest any more."""
    if dispatch.guest is None:
        return one
    found = next((guest for guest in one.guests if guest.id == dispatch.guest), None)
    return told_as(one, found) if found else replace(one, contact=None)


def can_be_told(one: Appointment) -> bool:
    """Whether there is an address of anybody's."""
    return any(each.contact is not None for each in parties(one))


def plan_all(
    after: Appointment,
    marks: Marks,
    found: Sequence[Dispatch],
    now: datetime,
    reminders: Sequence[timedelta] = (),
    *,
    again: bool = False,
) -> Telling:
    """As ``plan``, for all of them; ``again`` is the patient's. Who is no guest any more is told nothing."""
    planned = plan(after, marks(after), [one for one in found if one.guest is None], now, reminders, again=again)
    write, void, guests = [*planned.write], [*planned.void], []
    for guest in after.guests:
        theirs = [one for one in found if one.guest == guest.id]
        told = told_as(after, guest)
        part = plan(told, marks(told), theirs, now, reminders)
        write += [replace(one, guest=guest.id) for one in part.write]
        void += part.void
        guests.append(replace(guest, contact=part.appointment.contact))
    known = {None, *(guest.id for guest in after.guests)}
    void += [one for one in found if one.guest not in known and one.state == "queued"]
    return Telling(replace(planned.appointment, guests=tuple(guests)), write, void)
