"""Correcting what is planned: what an appointment may hold, and what of it may change when."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import get_args

from practice.accounts.model import Language
from practice.agenda.ages import NOT_ASKED, Age
from practice.agenda.ages import checked as checked_age
from practice.agenda.model import Appointment, Contact, calendar_entry
from practice.agenda.wishes import Wish
from practice.names import named
from vault.errors import DomainError
from vault.records.content import new_id

MAX_NAME = 200
MINUTES = range(5, 481)
FURTHEST = timedelta(days=731)
"""Nobody plans for a year that is further away: two years, of which one may be a leap year."""

Changed = Callable[[Appointment], Appointment]
"""The appointment as it shall be, from the one that stands there; the same one where nothing changes."""


class Clash(DomainError):  # noqa: N818 -- a state, not a mistake
    """It is not any more what was corrected: somebody else was quicker. ``current`` is what it is now."""

    def __init__(self, current: Appointment) -> None:
        super().__init__("conflict")
        self.current = current


@dataclass(frozen=True, slots=True)
class Correction:
    """What shall stand in an appointment of which version ``seen`` was seen; None leaves it. ``starts_at`` is aware.

    ``held``: somebody is in the consult, which keeps its begin and its language. One that is moved is of no queue any
    more: an open hour's number is for now. ``mail`` is where the patient is told
    of it, ``phone`` where by text message, empty for nowhere; who has another address or number has another link too,
    for the one before may be a stranger's.
    """

    seen: int
    patient: str | None = field(default=None, repr=False)
    starts_at: datetime | None = field(default=None, repr=False)
    minutes: int | None = None
    language: Language | None = None
    held: bool = False
    mail: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    code: bool | None = None

    def of(self, appointment: Appointment) -> Appointment:
        """The appointment corrected; itself where nothing differs. Errors: ``ended``, ``conflict`` (``Clash``),
        ``bad_state`` (what cannot change while the consult runs), ``invalid`` (a code that can be sent nowhere).
        """
        if appointment.state != "planned" or appointment.cancelled_at:
            raise DomainError("ended")
        if appointment.version != self.seen:
            raise Clash(appointment)
        # The same moment by another clock is no other moment: the day that was planned stays.
        starts_at = self.starts_at or appointment.starts_at
        corrected = replace(
            appointment,
            patient=self.patient or appointment.patient,
            starts_at=appointment.starts_at if starts_at == appointment.starts_at else starts_at,
            minutes=self.minutes or appointment.minutes,
            wish=appointment.wish if starts_at == appointment.starts_at else None,
            number=appointment.number if starts_at == appointment.starts_at else None,
            language=self.language or appointment.language,
            code=appointment.code if self.code is None else self.code,
        )
        corrected = with_address(_told_at(corrected, self.mail, self.phone))
        moved = (corrected.starts_at, corrected.language) != (appointment.starts_at, appointment.language)
        if self.held and moved:
            raise DomainError("bad_state")
        return corrected


def _told_at(one: Appointment, mail: str | None, phone: str | None) -> Appointment:
    """Of both, None leaves what is there."""
    before = (one.contact.mail, one.contact.phone) if one.contact else (None, None)
    after = tuple(old if new is None else new or None for old, new in zip(before, (mail, phone), strict=True))
    if after == before:
        return one
    if not any(after):
        return replace(one, contact=None)
    uid, sequence = calendar_entry(one)
    contact = replace(one.contact or Contact(uid=uid, sequence=sequence), mail=after[0], phone=after[1])
    another = any(old and new and old != new for old, new in zip(before, after, strict=True))
    return replace(one, contact=contact, secret=new_id() if another else one.secret)


def with_address(one: Appointment) -> Appointment:
    """The same. Errors: ``invalid`` where a code is asked for that can be sent nowhere."""
    if one.code and one.contact is None:
        raise DomainError("invalid", "code")
    return one


def checked(correction: Correction, now: datetime) -> Correction:
    """The same with its name tidied. Errors: ``invalid``, with the field."""
    patient = None if correction.patient is None else named(correction.patient, "patient", MAX_NAME)
    demand_possible(now, correction.starts_at, correction.minutes, correction.language)
    return replace(correction, patient=patient)


def demand_possible(
    now: datetime, starts_at: datetime | None, minutes: int | None, language: str | None, age: Age = NOT_ASKED
) -> None:
    """Refuse what no appointment can hold; None is not looked at. Errors: ``invalid``, with the field."""
    if minutes is not None and minutes not in MINUTES:
        raise DomainError("invalid", "minutes")
    if language is not None and language not in get_args(Language):
        raise DomainError("invalid", "language")
    if starts_at is not None and (starts_at.utcoffset() is None or abs(starts_at - now) > FURTHEST):
        raise DomainError("invalid", "starts_at")
    if starts_at is not None:
        checked_age(age, now, starts_at)


def wished(wish: Wish, one: Appointment) -> Appointment:
    """Errors: ``ended``."""
    if one.state != "planned":
        raise DomainError("ended")
    return replace(one, wish=wish)


def begun_anew(starts_at: datetime, one: Appointment) -> Appointment:
    """Of who waits in the queue of an open hour. Errors: ``ended``, ``bad_state`` (it is of no queue any more, or
    somebody knows whether it was held).
    """
    if one.state != "planned" or one.cancelled_at:
        raise DomainError("ended")
    if one.number is None or one.attended:
        raise DomainError("bad_state")
    return replace(one, starts_at=starts_at)


def invited(new_link: bool, one: Appointment) -> Appointment:
    """Errors: ``ended``, ``invalid`` (there is no address)."""
    if one.state != "planned" or one.cancelled_at:
        raise DomainError("ended")
    if one.contact is None and not new_link:
        raise DomainError("invalid", "mail")
    return replace(one, secret=new_id()) if new_link else one
