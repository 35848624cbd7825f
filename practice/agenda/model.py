"""What is planned, as it leaves storage: decrypted, immutable, silent in ``repr``."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal, get_args

from practice.accounts.model import Language, Retention
from practice.agenda.ages import NOT_ASKED, Age, Band, Lifted, band_at
from practice.agenda.questions import Question
from practice.agenda.wishes import Wish
from vault.records.records import Damaged

State = Literal["planned", "ended", "destroying"]
Attendance = Literal["held", "missed"]
"""Two met in its consult, or whom it was planned for did not come."""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What somebody who was given sight of an agenda reads of an appointment: nothing by which it could be reached."""

    starts_at: datetime = field(repr=False)
    minutes: int
    label: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class WalkIn:
    """Somebody who comes to an open hour: the id that their appointment gets, and their number in the queue."""

    id: str
    number: int


GuestRole = Literal["guest", "guardian", "interpreter", "colleague"]
"""As what somebody beside patient and practitioner takes part."""

GUEST_ROLES: Final[tuple[GuestRole, ...]] = get_args(GuestRole)


def patient_link(origin: str, one: "Appointment") -> str:
    """The patient's link, or a guest's for ``told_as`` them; what stands behind ``#`` never reaches a server's log or a
    Referer.
    """
    return f"{origin}/c#{secret_part(one)}"


def secret_part(one: "Appointment") -> str:
    """Of a link, what stands behind ``#``: it opens as the whole link does."""
    return f"{one.id}{one.secret}"


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a patient is told of an appointment, by mail, by telephone (E.164) or both.

    ``uid`` is what calendars know the appointment by, ``sequence`` how often it changed since (RFC 5545, 3.8.4.7 and
    3.8.7.4). With ``silent`` nobody is told that it is cancelled.
    """

    mail: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    uid: str = ""
    sequence: int = 0
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who takes part beside patient and practitioner, by a link of their own: ``secret`` is its second half,
    the first is the appointment's. Who has another link has another ``id`` too, which is also their seat in a consult.
    ``contact`` is where they are told of it.
    """

    id: str
    name: str = field(repr=False)
    role: GuestRole
    language: Language
    secret: str = field(repr=False)
    contact: Contact | None = field(default=None, repr=False)


Purpose = Literal["video", "child", "house"]
"""To what somebody consents: to meet by video; that the child in their care does; to what a practice asks itself."""

PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)


@dataclass(frozen=True, slots=True)
class Consent:
    """What somebody agreed to by a link: ``seat`` is ``patient`` or a guest's id, ``version`` that of the text that
    they read in ``language``. ``link`` marks the link, so that what was given by a former one counts no more. Moments
    are UTC.
    """

    purpose: Purpose
    version: str
    language: Language
    seat: str
    link: str = field(repr=False)
    given: datetime = field(repr=False)
    withdrawn: datetime | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Preservation:
    """That a law demands an appointment be kept ``until`` then (S-36). ``told`` is from when its practitioner may know,
    None where that is at once.
    """

    until: datetime
    told: datetime | None = None


@dataclass(frozen=True, slots=True)
class Appointment:
    """What was planned. ``starts_at`` keeps the offset it was planned with, so ``starts_at.date()`` is the local day.

    ``secret`` is the second half of the patient's link. ``due`` is the UTC moment of destruction, None for never.
    ``state`` is what storage says: a running consult is still ``planned``. ``handed`` is how often it was handed over,
    ``ceiling`` the shortest setting of those who had it before. ``contact`` is where the patient is told of it. With
    ``cancelled_at`` it is destroyed a moment later, or once the patient was told (``cancelling``). ``attended`` is what
    the consult showed, or somebody said; None where nobody knows. ``wish`` is what the patient said of it. ``number``
    is that of who came to an open hour. ``guests`` are who else takes part. With ``code`` whoever opens the patient's
    link types digits that were sent to them. ``age`` is what was said of the patient's, ``asks`` what is to be
    consented to before the waiting room, ``consents`` what was; with ``lifted`` no guardian has to. ``preserved`` puts
    off its destruction, not its due time. ``questions`` are what is asked before the consult, ``answers`` one for
    each, or none at all. ``unknown`` is what a newer program keeps beside these fields: who writes the appointment anew
    writes it too.
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
    handed: int = 0
    ceiling: Retention | None = None
    cancelled_at: datetime | None = field(default=None, repr=False)
    attended: Attendance | None = None
    contact: Contact | None = field(default=None, repr=False)
    wish: Wish | None = None
    number: int | None = None
    guests: tuple[Guest, ...] = ()
    code: bool = False
    age: Age = NOT_ASKED
    asks: tuple[Purpose, ...] = ()
    consents: tuple[Consent, ...] = ()
    lifted: Lifted | None = None
    preserved: Preservation | None = None
    questions: tuple[Question, ...] = field(default=(), repr=False)
    answers: tuple[str, ...] = field(default=(), repr=False)
    unknown: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def band(self) -> Band | None:
        """The patient's at its begin; None where nobody was asked."""
        return band_at(self.age, self.starts_at)

    @property
    def is_of_a_child(self) -> bool:
        """Whether its patient is under 16 then."""
        return self.band in ("under-12", "12-15")

    @property
    def uncounted(self) -> bool:
        """Whether no statistics have it: of a child nothing is counted (S-16)."""
        return self.is_of_a_child

    @property
    def withdrawn_at(self) -> datetime | None:
        """When a consent was withdrawn, with which it goes; None where all that was given stands."""
        return min((one.withdrawn for one in self.consents if one.withdrawn), default=None)

    @property
    def at_once(self) -> bool:
        """Whether it goes when it is due, also where its consult runs."""
        return self.withdrawn_at is not None

    @property
    def preserved_until(self) -> datetime | None:
        """What ``vault.destruction.preservation`` looks at."""
        return self.preserved.until if self.preserved else None

    def known_to_stay(self, now: datetime) -> datetime | None:
        """Until when a law has it kept, once its practitioner may know."""
        kept = self.preserved
        return kept.until if kept and (kept.told is None or kept.told <= now) else None

    @property
    def ends_at(self) -> datetime:
        """The planned end."""
        return self.starts_at + timedelta(minutes=self.minutes)


@dataclass(frozen=True, slots=True)
class Agenda:
    """Appointments by their start, and those of the same owner whose start nobody can read."""

    appointments: list[Appointment]
    damaged: list[Damaged]


def glimpsed(one: Appointment) -> Glimpse:
    """What there is to be seen of it."""
    return Glimpse(one.starts_at, one.minutes, one.patient)


def told_as(one: Appointment, guest: Guest) -> Appointment:
    """The appointment as this guest is told of it: their link, address and language, and of nobody else anything."""
    return replace(
        one,
        patient=guest.name,
        secret=guest.secret,
        language=guest.language,
        contact=guest.contact,
        guests=(),
        wish=None,
        code=False,
        age=NOT_ASKED,
        asks=(),
        consents=(),
        lifted=None,
        questions=(),
        answers=(),
    )


def calendar_entry(one: Appointment) -> tuple[str, int]:
    """What calendars know it by, and how often it changed, whether it was mailed or fetched (RFC 5545, 3.8.4.7 and
    3.8.7.4): the same UID for as long as the appointment lives, whoever's it is.
    """
    return (one.contact.uid, one.contact.sequence) if one.contact else (one.id, one.version - 1)
