"""What an archive of ours holds, each record checked before any is written.

What is taken back are appointments that are planned or over, sentences and what is planned often. What was cancelled,
what signs in and what an organisation decides stay where they were. So does what was agreed to, answered, or decided
without a guardian: that was said by another link, and is asked anew (S-16, S-44).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from practice.accounts.model import Language, Retention
from practice.agenda.ages import Age, Band, checked
from practice.agenda.changes import FURTHEST, MAX_NAME, MINUTES
from practice.agenda.model import Appointment, Attendance, Contact, Guest, GuestRole, Purpose
from practice.agenda.wishes import Wish
from practice.mailboxes import mailbox
from practice.names import named
from practice.portability.opened import NotTaken
from practice.presets.model import Preset
from vault.errors import DomainError
from vault.records.content import new_id

MOST_GUESTS: Final = 10
EARLIEST: Final = 2000
"""No consult by video was planned in a year before."""
PHONE: Final = re.compile(r"\+[1-9][0-9]{5,14}")


def _named(text: str) -> str:
    try:
        return named(text, "name", MAX_NAME)
    except DomainError:
        raise ValueError from None


def _numbered(text: str) -> str:
    if not PHONE.fullmatch(text):
        raise ValueError
    return text


def _written(at: datetime) -> datetime:
    if at.year < EARLIEST or at.utcoffset() is None or abs(at.utcoffset() or timedelta()) > timedelta(hours=14):
        raise ValueError
    return at


Name = Annotated[str, Field(min_length=1, max_length=2 * MAX_NAME), AfterValidator(_named)]
Moment = Annotated[AwareDatetime, AfterValidator(_written)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class _Contact(_Part):
    mail: Annotated[str, Field(max_length=254), AfterValidator(mailbox)] | None = None
    phone: Annotated[str, Field(max_length=16), AfterValidator(_numbered)] | None = None


class _Guest(_Part):
    name: Name
    role: GuestRole
    language: Language
    contact: _Contact | None = None


class _Appointment(_Part):
    patient: Name
    starts_at: Moment
    minutes: Annotated[int, Field(strict=True, ge=MINUTES.start, lt=MINUTES.stop)]
    language: Language
    state: Literal["planned", "ended"]
    ended_at: Moment | None = None
    handed: Annotated[int, Field(strict=True, ge=0, le=8)] = 0
    ceiling: Retention | None = None
    cancelled_at: Moment | None = None
    attended: Attendance | None = None
    contact: _Contact | None = None
    wish: Wish | None = None
    guests: Annotated[list[_Guest], Field(max_length=MOST_GUESTS)] = []
    code: bool = False
    band: Band | None = None
    sixteen: date | None = None

    @property
    def age(self) -> Age:
        """What was said of the patient's."""
        return Age(self.band, self.sixteen)


class _Sentence(_Part):
    language: Language
    text: Annotated[str, Field(min_length=1, max_length=2000)]


class _Preset(_Part):
    name: Name
    minutes: Annotated[int, Field(strict=True, ge=MINUTES.start, lt=MINUTES.stop)]
    language: Language


class _Presets(_Part):
    presets: Annotated[list[_Preset], Field(max_length=100)]


PARTS: Final[Mapping[str, type[_Part]]] = {"appointments": _Appointment, "sentences": _Sentence, "presets": _Presets}
_LINE: Final = TypeAdapter(tuple[Literal["appointments", "sentences", "presets"], dict[str, Any]])


@dataclass(frozen=True)
class Taken:
    """What is to be written, of nobody yet."""

    appointments: Sequence[_Appointment] = field(repr=False)
    sentences: Sequence[tuple[Language, str]] = field(repr=False)
    presets: tuple[Preset, ...] = field(repr=False)


class Taking:
    """Takes the records of an archive a few at a time, and gives them once all were good."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._found: dict[str, list[Any]] = {kind: [] for kind in PARTS}

    def add(self, lines: Iterable[bytes]) -> None:
        """Each a JSON array of a kind and a record. Errors: NotTaken."""
        for line in lines:
            try:
                kind, one = _LINE.validate_json(line)
                made = PARTS[kind].model_validate(one)
            except (ValidationError, RecursionError):
                raise NotTaken("content") from None
            if not isinstance(made, _Appointment):
                self._found[kind].append(made)
            elif made.cancelled_at is None:
                if not _possible(made, self._now):
                    raise NotTaken("content")
                self._found[kind].append(made)

    def whole(self) -> Taken:
        """All of them."""
        often = [
            Preset(each.name, each.minutes, each.language) for one in self._found["presets"] for each in one.presets
        ]
        sentences = [(one.language, one.text) for one in self._found["sentences"]]
        return Taken(self._found["appointments"], sentences, tuple(often))


def _possible(one: _Appointment, now: datetime) -> bool:
    ends = one.ended_at is not None
    addressed = not one.code or (one.contact is not None and any((one.contact.mail, one.contact.phone)))
    in_time = one.starts_at - now <= FURTHEST and (one.ended_at is None or one.ended_at <= now)
    return in_time and ends == (one.state == "ended") and addressed and _could_be_said(one)


def _could_be_said(one: _Appointment) -> bool:
    """Whether somebody could say this age when it was planned, which was no longer before."""
    try:
        checked(one.age, one.starts_at - FURTHEST, one.starts_at)
    except DomainError:
        return False
    return True


def planned(one: _Appointment, row_id: str, owner: str, asks: tuple[Purpose, ...]) -> Appointment:
    """A new appointment of this owner, with new links and told to nobody yet: before it begins is agreed to what the
    owner ``asks`` of whoever comes, as if it were planned now.
    """
    return Appointment(
        id=row_id,
        owner=owner,
        patient=one.patient,
        starts_at=one.starts_at,
        minutes=one.minutes,
        language=one.language,
        state=one.state,
        ended_at=one.ended_at,
        secret=new_id(),
        due=None,
        version=1,
        handed=one.handed,
        ceiling=one.ceiling,
        attended=one.attended,
        contact=_contact(one.contact),
        wish=one.wish,
        guests=tuple(_guest(each) for each in one.guests),
        code=one.code,
        age=one.age,
        asks=asks,
    )


def _guest(one: _Guest) -> Guest:
    return Guest(new_id(), one.name, one.role, one.language, new_id(), _contact(one.contact))


def _contact(one: _Contact | None) -> Contact | None:
    return Contact(one.mail, one.phone, new_id()) if one and (one.mail or one.phone) else None
