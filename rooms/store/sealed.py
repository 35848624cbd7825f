"""What is inside the sealed columns."""

import secrets
from collections.abc import Collection
from datetime import UTC, date, datetime
from typing import Any, get_args

from sqlalchemy import Row

from rooms.errors import Newer, Tampered, Unreadable
from rooms.keys.envelope import Place, seal, unseal
from rooms.model import RETENTION, Appointment, Language, Practitioner
from rooms.store.content import Layout, open_content, seal_content
from rooms.store.records import Kind
from rooms.store.tables import appointments

APPOINTMENT = Layout(frozenset(("patient", "starts_at", "minutes", "language", "ended_at", "secret", "due")))
PROFILE = Layout(frozenset(("mail", "display_name", "language", "retention")), bare=True)
"""Without its mark while it is version 1: servers of the first release, beside which ours run while a practice brings
them up one by one, take every key of a profile for a field and open none that has more.
"""


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
            language=known(content["language"], get_args(Language)),
            state=row.state,
            ended_at=moment(content["ended_at"]),
            secret=content["secret"],
            due=moment(content["due"]),
            version=number(row.version),
            unknown=unknown,
        )
    except (TypeError, ValueError):
        raise Unreadable from None


APPOINTMENTS = Kind(
    name="appointments",
    table=appointments,
    layout=APPOINTMENT,
    place=content_place,
    open=open_appointment,
    seal=seal_appointment,
    timed=True,
    kept=True,
)


def seal_profile(key: bytes, practitioner: Practitioner) -> bytes:
    """The profile column of a practitioner."""
    profile = {
        "mail": practitioner.mail,
        "display_name": practitioner.display_name,
        "language": practitioner.language,
        "retention": practitioner.retention,
    }
    return seal_content(key, PROFILE, profile, profile_place(practitioner.id), practitioner.unknown)


def open_profile(key: bytes, row: Row[Any]) -> Practitioner:
    """The practitioner in a row. Errors: Unreadable when the profile is not this row's, or not of our making; Newer."""
    profile, unknown = open_content(key, PROFILE, row.profile, profile_place(row.id))
    try:
        known(profile["language"], get_args(Language))
        known(profile["retention"], RETENTION)
        return Practitioner(id=row.id, version=number(row.version), unknown=unknown, **profile)
    except (TypeError, ValueError):
        raise Unreadable from None


def seal_password(key: bytes, row_id: str, digest: str) -> bytes:
    """The password column: not even the argon2id hash can be guessed at without the key store."""
    return seal(key, digest.encode(), password_place(row_id))


def open_password(key: bytes, row_id: str, sealed: bytes) -> str:
    """The argon2id hash, which says its own version; Unreadable when it is not this row's."""
    try:
        return unseal(key, sealed, password_place(row_id)).decode()
    except (Tampered, ValueError):
        raise Unreadable from None


def password_place(row_id: str) -> Place:
    """Where a practitioner's password stands."""
    return Place("practitioners", "password", row_id, row_id)


def profile_place(row_id: str) -> Place:
    """Where a practitioner's profile stands."""
    return Place("practitioners", "profile", row_id, row_id)


def stamp(value: datetime | None) -> str | None:
    """ISO 8601."""
    return None if value is None else value.isoformat()


def moment(text: str | None) -> datetime | None:
    """From ISO 8601."""
    return None if text is None else datetime.fromisoformat(text)


def known(value: Any, values: Collection[Any]) -> Any:
    """One of a fixed set; Newer when it is none of those that we know: only a program of ours can seal it."""
    if value not in values:
        raise Newer
    return value


def number(value: Any) -> int:
    """What stands in a column of numbers, where SQLite keeps any text. ValueError when it is none."""
    if type(value) is not int:
        raise ValueError("no number")
    return value


def utc_day(due: datetime | None) -> date | None:
    """The day that may stand in clear."""
    return None if due is None else due.astimezone(UTC).date()


def new_id() -> str:
    """128 random bits, 22 base64url characters."""
    return secrets.token_urlsafe(16)
