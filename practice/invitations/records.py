"""What is inside the sealed column of a dispatch, and its table."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, get_args

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, literal_column, text

from practice.invitations.model import WAYS, WORDS, Dispatch, State
from vault.database.tables import Day, metadata
from vault.errors import Unreadable
from vault.keys.envelope import Place, fingerprint
from vault.records.content import Layout, known, moment, number, open_content, seal_content, stamp, utc_day

QUEUED = text("state = 'queued'")

dispatches = Table(
    "dispatches",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("appointment", ForeignKey("appointments.id", ondelete="CASCADE"), nullable=False),
    Column("state", String(10), nullable=False, comment="queued, sent, opened, refused, late, void"),
    Column("written", BigInteger, nullable=False, comment="milliseconds since the Unix epoch"),
    Column("from_day", Day, nullable=False, comment="UTC day from which it is tried; the moment is inside content"),
    Column("content", LargeBinary, nullable=False, comment="sealed: which text, what was told, tries, result"),
    Column("version", Integer, nullable=False),
    Index(None, "appointment"),
    Index("ix_dispatches_queued", "from_day", "written", sqlite_where=QUEUED, postgresql_where=QUEUED),
)
"""Its rows go with the row of their appointment, also where a server that does not know them deletes that."""

IS_QUEUED: Final = dispatches.c.state == literal_column("'queued'")
"""In the statement's own words: an index over a part of the rows is not found by a parameter."""

LAYOUT = Layout(
    frozenset(("way", "word", "to", "sequence", "starts_at", "minutes", "again", "tries", "begun", "at", "reason")),
    optional=frozenset(
        (
            "guest",
            "organisation",
        )
    ),
)


def place(row_id: str, appointment: str) -> Place:
    """Where a dispatch's content stands: the appointment is whose key it is under."""
    return Place("dispatches", "content", row_id, appointment)


def address_mark(key: bytes, address: str) -> str:
    """What tells two addresses of one appointment apart: nobody without its key can tell whether it is one's own."""
    return fingerprint(key, "dispatch", address).hex()[:32]


def milliseconds(at: datetime) -> int:
    """Since the Unix epoch."""
    return int(at.timestamp() * 1000)


def seal_dispatch(key: bytes, one: Dispatch) -> Mapping[str, Any]:
    """The row of a dispatch, under its appointment's key."""
    content = {
        "way": one.way,
        "word": one.word,
        "to": one.to,
        "sequence": one.sequence,
        "starts_at": one.starts_at.isoformat(),
        "minutes": one.minutes,
        "again": stamp(one.again),
        "tries": one.tries,
        "begun": one.begun,
        "at": stamp(one.at),
        "reason": one.reason,
        "organisation": one.organisation,
        "guest": one.guest,
    }
    return {
        "id": one.id,
        "appointment": one.appointment,
        "state": one.state,
        "written": milliseconds(one.written),
        "from_day": utc_day(one.again),
        "content": seal_content(key, LAYOUT, content, place(one.id, one.appointment), one.unknown),
        "version": one.version,
    }


def open_dispatch(key: bytes, row: Any) -> Dispatch:
    """The dispatch in a row. Errors: Unreadable, Newer."""
    content, unknown = open_content(key, LAYOUT, row.content, place(row.id, row.appointment))
    try:
        return Dispatch(
            id=row.id,
            appointment=row.appointment,
            way=known(content["way"], WAYS),
            word=known(content["word"], WORDS),
            to=content["to"],
            sequence=number(content["sequence"]),
            starts_at=datetime.fromisoformat(content["starts_at"]),
            minutes=number(content["minutes"]),
            written=datetime.fromtimestamp(number(row.written) / 1000, UTC),
            again=datetime.fromisoformat(content["again"]),
            state=known(row.state, get_args(State)),
            tries=number(content["tries"]),
            begun=bool(content["begun"]),
            at=moment(content["at"]),
            reason=content["reason"],
            organisation=content["organisation"],
            guest=content["guest"],
            version=number(row.version),
            unknown=unknown,
        )
    except (OverflowError, TypeError, ValueError):
        raise Unreadable from None
