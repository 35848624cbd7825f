"""What is inside the sealed column of an appointment, and its table."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple, get_args

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table, text

from practice.accounts.model import RETENTION, Language
from practice.agenda.ages import BANDS, LIFT_REASONS, Age, Lifted
from practice.agenda.model import GUEST_ROLES, PURPOSES, Appointment, Attendance, Consent, Contact, Guest, Preservation
from practice.agenda.questions import QUESTION_KINDS, Question
from practice.agenda.wishes import WISHES
from vault.database.tables import Day, metadata
from vault.errors import Unreadable
from vault.keys.envelope import Place
from vault.keys.places import NOBODY
from vault.records.content import Layout, known, moment, new_id, number, open_content, seal_content, stamp, utc_day
from vault.records.records import Kind

LANGUAGES: Final = get_args(Language)
ATTENDANCES: Final = get_args(Attendance)

appointments = Table(
    "appointments",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("owner", ForeignKey("practitioners.id"), nullable=False),
    Column("state", String(10), nullable=False, comment="planned, ended, destroying"),
    Column("due_day", Day, comment="UTC day of destruction; the moment is inside content"),
    Column("content", LargeBinary, nullable=False, comment="sealed: patient, times, link secret, due"),
    Column("version", Integer, nullable=False),
    Index(None, "owner"),
    Index(None, "due_day"),
    Index("ix_appointments_due", "due_day", "id"),
    Index(
        "ix_appointments_marked",
        "id",
        sqlite_where=text("state = 'destroying'"),
        postgresql_where=text("state = 'destroying'"),
    ),
)

APPOINTMENT = Layout(
    frozenset(("patient", "starts_at", "minutes", "language", "ended_at", "secret", "due")),
    optional=frozenset(
        (
            *("handed", "ceiling", "cancelled_at", "attended", "contact", "wish", "number", "guests", "code"),
            *("band", "sixteen", "asks", "consents", "unguarded", "preserved", "questions", "answers"),
        )
    ),
)


def content_place(row_id: str, owner: str) -> Place:
    """Where an appointment's content stands."""
    return Place("appointments", "content", row_id, owner)


def seal_appointment(key: bytes, appointment: Appointment) -> dict[str, Any]:
    """The row of an appointment."""
    content = {
        "patient": appointment.patient,
        "starts_at": appointment.starts_at.isoformat(),
        "minutes": appointment.minutes,
        "language": appointment.language,
        "ended_at": stamp(appointment.ended_at),
        "secret": appointment.secret,
        "due": stamp(appointment.due),
        "handed": appointment.handed or None,
        "ceiling": appointment.ceiling,
        "cancelled_at": stamp(appointment.cancelled_at),
        "attended": appointment.attended,
        "contact": None if appointment.contact is None else asdict(appointment.contact),
        "wish": appointment.wish,
        "number": appointment.number,
        "guests": [asdict(one) for one in appointment.guests] or None,
        "code": appointment.code or None,
        "band": appointment.age.band,
        "sixteen": appointment.age.sixteen.isoformat() if appointment.age.sixteen else None,
        "asks": list(appointment.asks) or None,
        "consents": [_kept_consent(one) for one in appointment.consents] or None,
        "unguarded": appointment.lifted and asdict(appointment.lifted) | {"at": appointment.lifted.at.isoformat()},
        "preserved": _preserved(appointment.preserved),
        "questions": [asdict(one) for one in appointment.questions] or None,
        "answers": list(appointment.answers) or None,
    }
    place = content_place(appointment.id, appointment.owner)
    return {
        "id": appointment.id,
        "owner": appointment.owner,
        "state": appointment.state,
        "due_day": utc_day(appointment.due),
        "content": seal_content(key, APPOINTMENT, content, place, appointment.unknown),
        "version": appointment.version,
    }


def open_appointment(key: bytes, row: Any) -> Appointment:
    """The appointment in a row of the table.

    Errors: Unreadable when the content is not this row's, or not of our making; Newer.
    """
    content, unknown = open_content(key, APPOINTMENT, row.content, content_place(row.id, row.owner))
    try:
        return Appointment(
            id=row.id,
            owner=row.owner,
            patient=content["patient"],
            starts_at=datetime.fromisoformat(content["starts_at"]),
            minutes=content["minutes"],
            language=known(content["language"], LANGUAGES),
            state=row.state,
            ended_at=moment(content["ended_at"]),
            secret=content["secret"],
            due=moment(content["due"]),
            version=number(row.version),
            handed=number(content["handed"] or 0),
            ceiling=None if content["ceiling"] is None else known(content["ceiling"], RETENTION),
            cancelled_at=moment(content["cancelled_at"]),
            attended=None if content["attended"] is None else known(content["attended"], ATTENDANCES),
            contact=None if content["contact"] is None else Contact(**content["contact"]),
            wish=None if content["wish"] is None else known(content["wish"], WISHES),
            number=None if content["number"] is None else number(content["number"]),
            guests=tuple(_guest(one) for one in content["guests"] or ()),
            code=bool(content["code"]),
            age=_age(content),
            asks=tuple(known(one, PURPOSES) for one in content["asks"] or ()),
            consents=tuple(_consent(one) for one in content["consents"] or ()),
            lifted=None if content["unguarded"] is None else _lifted(content["unguarded"]),
            preserved=_preservation(content["preserved"]),
            questions=tuple(_question(one) for one in content["questions"] or ()),
            answers=tuple(str(one) for one in content["answers"] or ()),
            unknown=unknown,
        )
    except (KeyError, TypeError, ValueError):
        raise Unreadable from None


def _guest(kept: Mapping[str, Any]) -> Guest:
    """Errors: KeyError, TypeError, ValueError."""
    return Guest(
        id=str(kept["id"]),
        name=str(kept["name"]),
        role=known(kept["role"], GUEST_ROLES),
        language=known(kept["language"], LANGUAGES),
        secret=str(kept["secret"]),
        contact=None if kept["contact"] is None else Contact(**kept["contact"]),
    )


def _age(content: Mapping[str, Any]) -> Age:
    """Errors: KeyError, TypeError, ValueError."""
    band, sixteen = content["band"], content["sixteen"]
    return Age(None if band is None else known(band, BANDS), None if sixteen is None else date.fromisoformat(sixteen))


def _question(kept: Mapping[str, Any]) -> Question:
    """Errors: KeyError, TypeError, ValueError."""
    kind, choices = known(kept["kind"], QUESTION_KINDS), tuple(str(one) for one in kept["choices"])
    return Question(kind, str(kept["label"]), choices, kept["needed"] is True)


def _kept_consent(one: Consent) -> dict[str, Any]:
    return asdict(one) | {"given": stamp(one.given), "withdrawn": stamp(one.withdrawn)}


def _consent(kept: Mapping[str, Any]) -> Consent:
    """Errors: KeyError, TypeError, ValueError."""
    return Consent(
        purpose=known(kept["purpose"], PURPOSES),
        version=str(kept["version"]),
        language=known(kept["language"], LANGUAGES),
        seat=str(kept["seat"]),
        link=str(kept["link"]),
        given=datetime.fromisoformat(kept["given"]),
        withdrawn=moment(kept["withdrawn"]),
    )


def _lifted(kept: Mapping[str, Any]) -> Lifted:
    """Errors: KeyError, TypeError, ValueError."""
    return Lifted(known(kept["reason"], LIFT_REASONS), str(kept["note"]), datetime.fromisoformat(kept["at"]))


def _exported_consent(one: Consent, appointment: Appointment) -> dict[str, Any]:
    """Who is said by their role: the id of a guest tells nobody anything."""
    roles = {guest.id: guest.role for guest in appointment.guests}
    return {
        "purpose": one.purpose,
        "version": one.version,
        "language": one.language,
        "by": roles.get(one.seat, "guest") if one.seat != "patient" else "patient",
        "given": stamp(one.given),
        "withdrawn": stamp(one.withdrawn),
    }


def _addresses(contact: Contact | None) -> dict[str, str | None] | None:
    return {"mail": contact.mail, "phone": contact.phone} if contact else None


def _preserved(one: Preservation | None) -> dict[str, str | None] | None:
    return {"until": stamp(one.until), "told": stamp(one.told)} if one else None


def _preservation(kept: Mapping[str, Any] | None) -> Preservation | None:
    """Errors: KeyError, TypeError, ValueError."""
    if kept is None:
        return None
    return Preservation(datetime.fromisoformat(kept["until"]), moment(kept["told"]))


def export_appointment(appointment: Appointment) -> dict[str, Any]:
    """All but the secrets of links, which open it to whoever has them."""
    return {
        "patient": appointment.patient,
        "starts_at": appointment.starts_at.isoformat(),
        "minutes": appointment.minutes,
        "language": appointment.language,
        "state": appointment.state,
        "ended_at": appointment.ended_at.isoformat() if appointment.ended_at else None,
        "due": appointment.due.isoformat() if appointment.due else None,
        "handed": appointment.handed,
        "ceiling": appointment.ceiling,
        "cancelled_at": appointment.cancelled_at.isoformat() if appointment.cancelled_at else None,
        "attended": appointment.attended,
        "contact": _addresses(appointment.contact),
        "wish": appointment.wish,
        "number": appointment.number,
        "guests": [
            {"name": one.name, "role": one.role, "language": one.language, "contact": _addresses(one.contact)}
            for one in appointment.guests
        ],
        "code": appointment.code,
        "band": appointment.age.band,
        "sixteen": appointment.age.sixteen.isoformat() if appointment.age.sixteen else None,
        "asks": list(appointment.asks),
        "consents": [_exported_consent(one, appointment) for one in appointment.consents],
        "unguarded": appointment.lifted and asdict(appointment.lifted) | {"at": appointment.lifted.at.isoformat()},
        "questions": [{"label": one.label} for one in appointment.questions],
        "answers": list(appointment.answers),
    }


APPOINTMENTS = Kind(
    name="appointments",
    table=appointments,
    layout=APPOINTMENT,
    place=content_place,
    open=open_appointment,
    seal=seal_appointment,
    timed=True,
    kept=True,
    export=export_appointment,
)


EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Decoy(NamedTuple):
    """A row under the key of nobody, opened when there is no other: an unknown id must not be quicker."""

    id: str
    owner: str
    state: str
    due_day: date | None
    content: bytes
    version: int


def decoy(key: bytes) -> Decoy:
    """A new one, sealed with the key of nobody."""
    fields = Appointment(NOBODY, NOBODY, "", EPOCH, 5, "nl", "planned", None, new_id(), EPOCH, 1)
    return Decoy(**seal_appointment(key, fields))
