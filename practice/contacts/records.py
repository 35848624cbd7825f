"""What is inside the sealed column of a contact, and its table."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Index, String

from practice.contacts.model import CONTACT_REASONS, CONTACT_WAYS, LoggedContact
from vault.errors import Unreadable
from vault.records.content import Layout, known, number
from vault.records.records import Sealed, kept_table

contacts = kept_table(
    "contacts",
    "in which organisation, by whom, by which way, why, note, when",
    Column("organisation", String(22), nullable=False, comment="no foreign key: who closes may not know this table"),
    Column("until", BigInteger, nullable=False, comment="when it dies, in seconds since the Unix epoch"),
)
Index(None, contacts.c.until)

SAID: Final = ("organisation", "by", "way", "reason", "note")
CONTACT = Sealed("contacts", Layout(frozenset((*SAID, "at"))))


def seal_contact(key: bytes, one: LoggedContact) -> dict[str, Any]:
    """The row of a contact."""
    said = {name: getattr(one, name) for name in SAID} | {"at": one.at.isoformat()}
    return CONTACT.row(key, one, said, organisation=one.organisation, until=int(one.until.timestamp()))


def open_contact(key: bytes, row: Any) -> LoggedContact:
    """The contact in a row. Errors: Unreadable, Newer (also for a reason that only a newer program knows)."""
    said, unknown = CONTACT.open(key, row)
    known(said["way"], CONTACT_WAYS)
    known(said["reason"], CONTACT_REASONS)
    if said["organisation"] != row.organisation:
        raise Unreadable
    try:
        at, version = datetime.fromisoformat(said["at"]), number(row.version)
        found = {name: said[name] for name in SAID}
        return LoggedContact(row.id, row.owner, at=at, version=version, unknown=unknown, **found)
    except (TypeError, ValueError):
        raise Unreadable from None


def export_contact(one: LoggedContact) -> Mapping[str, Any]:
    """What its owner reads: that they were called, when and why. Who did is theirs to ask."""
    return {"way": one.way, "reason": one.reason, "note": one.note, "at": one.at.isoformat()}


CONTACTS = CONTACT.kind(contacts, open_contact, seal_contact, about=contacts.c.organisation, export=export_contact)
