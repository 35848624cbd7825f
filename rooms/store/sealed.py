"""What is inside the sealed columns."""

import secrets
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Row

from rooms.errors import Tampered, Unreadable
from rooms.keys.envelope import Place, pack, seal, unpack, unseal
from rooms.model import Appointment, Practitioner


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
    return {
        "id": appointment.id,
        "owner": appointment.owner,
        "state": appointment.state,
        "due_day": utc_day(appointment.due),
        "content": seal(key, pack(content), content_place(appointment.id, appointment.owner)),
        "version": appointment.version,
    }


def open_appointment(key: bytes, row: Any) -> Appointment:
    """The appointment in a row of the table; Unreadable when the content is not this row's, or not of our making."""
    try:
        return _appointment(row, unpack(unseal(key, row.content, content_place(row.id, row.owner))))
    except (Tampered, KeyError, TypeError, ValueError):
        raise Unreadable from None


def _appointment(row: Any, content: dict[str, Any]) -> Appointment:
    return Appointment(
        id=row.id,
        owner=row.owner,
        patient=content["patient"],
        starts_at=datetime.fromisoformat(content["starts_at"]),
        minutes=content["minutes"],
        language=content["language"],
        state=row.state,
        ended_at=moment(content["ended_at"]),
        secret=content["secret"],
        due=moment(content["due"]),
        version=row.version,
    )


def seal_profile(key: bytes, practitioner: Practitioner) -> bytes:
    """The profile column of a practitioner."""
    profile = {
        "mail": practitioner.mail,
        "display_name": practitioner.display_name,
        "language": practitioner.language,
        "retention": practitioner.retention,
    }
    return seal(key, pack(profile), profile_place(practitioner.id))


def open_profile(key: bytes, row: Row[Any]) -> Practitioner:
    """The practitioner in a row; Unreadable when the profile is not this row's, or not of our making."""
    try:
        return Practitioner(id=row.id, version=row.version, **unpack(unseal(key, row.profile, profile_place(row.id))))
    except (Tampered, TypeError, ValueError):
        raise Unreadable from None


def seal_password(key: bytes, row_id: str, digest: str) -> bytes:
    """The password column: not even the argon2id hash can be guessed at without the key store."""
    return seal(key, digest.encode(), Place("practitioners", "password", row_id, row_id))


def open_password(key: bytes, row_id: str, sealed: bytes) -> str:
    """The argon2id hash; Unreadable when it is not this row's."""
    try:
        return unseal(key, sealed, Place("practitioners", "password", row_id, row_id)).decode()
    except (Tampered, ValueError):
        raise Unreadable from None


def content_place(row_id: str, owner: str) -> Place:
    """Where an appointment's content stands."""
    return Place("appointments", "content", row_id, owner)


def profile_place(row_id: str) -> Place:
    """Where a practitioner's profile stands."""
    return Place("practitioners", "profile", row_id, row_id)


def stamp(value: datetime | None) -> str | None:
    """ISO 8601."""
    return None if value is None else value.isoformat()


def moment(text: str | None) -> datetime | None:
    """From ISO 8601."""
    return None if text is None else datetime.fromisoformat(text)


def utc_day(due: datetime | None) -> date | None:
    """The day that may stand in clear."""
    return None if due is None else due.astimezone(UTC).date()


def new_id() -> str:
    """128 random bits, 22 base64url characters."""
    return secrets.token_urlsafe(16)
