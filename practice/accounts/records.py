"""What is inside the sealed columns of an account, and its table: who owns everything else."""

from typing import Any, get_args

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Row, String, Table

from practice.accounts.model import RETENTION, Language, MailChange, Practitioner, Side
from vault.database.tables import metadata
from vault.errors import Tampered, Unreadable
from vault.keys.envelope import Place, seal, unseal
from vault.records.content import Layout, known, number, open_content, seal_content
from vault.records.records import Owners

practitioners = Table(
    "practitioners",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("mail", LargeBinary(32), nullable=False, unique=True, comment="HMAC of the canonical address"),
    Column("profile", LargeBinary, nullable=False, comment="sealed: mail, display name, language, retention"),
    Column("password", LargeBinary, nullable=False, comment="sealed argon2id hash"),
    Column("version", Integer, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token", LargeBinary(32), primary_key=True, comment="SHA-256 of the token"),
    Column("practitioner", ForeignKey("practitioners.id", ondelete="CASCADE"), nullable=False),
    Column("created", BigInteger, nullable=False, comment="seconds since the Unix epoch"),
    Column("used", BigInteger, nullable=False, comment="seconds since the Unix epoch"),
    Column("strength", LargeBinary(32), comment="keyed hash of the token and how it was begun"),
    Index(None, "practitioner"),
    Index(None, "used"),
)

resets = Table(
    "resets",
    metadata,
    Column("token", LargeBinary(32), primary_key=True, comment="keyed hash of the link's token"),
    Column("practitioner", ForeignKey("practitioners.id", ondelete="CASCADE"), nullable=False),
    Column("created", BigInteger, nullable=False, comment="seconds since the Unix epoch"),
    Index(None, "practitioner"),
    Index(None, "created"),
)

mail_changes = Table(
    "mail_changes",
    metadata,
    Column("practitioner", ForeignKey("practitioners.id", ondelete="CASCADE"), primary_key=True),
    Column("old_token", LargeBinary(32), nullable=False, unique=True, comment="keyed hash of what the old one got"),
    Column("new_token", LargeBinary(32), nullable=False, unique=True, comment="keyed hash of what the new one got"),
    Column("old_at", BigInteger, comment="when the old one confirmed, in seconds since the Unix epoch"),
    Column("new_at", BigInteger, comment="when the new one confirmed, in seconds since the Unix epoch"),
    Column("created", BigInteger, nullable=False, comment="seconds since the Unix epoch"),
    Column("content", LargeBinary, nullable=False, comment="sealed: the new address, and in which session"),
    Index(None, "created"),
)

PROFILE = Layout(frozenset(("mail", "display_name", "language", "retention")), bare=True)
"""Without its mark while it is version 1: servers of the first release, beside which ours run while a practice brings
them up one by one, take every key of a profile for a field and open none that has more.
"""

MAIL_CHANGE = Layout(frozenset(("mail", "session")))


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


def seal_mail_change(key: bytes, owner: str, mail: str, session: str) -> bytes:
    """The content column of a change of address, under the key of the account's own row."""
    return seal_content(key, MAIL_CHANGE, {"mail": mail, "session": session}, mail_change_place(owner))


def open_mail_change(key: bytes, row: Row[Any], side: Side | None) -> MailChange:
    """The change in a row. Errors: Unreadable, Newer."""
    fields, _ = open_content(key, MAIL_CHANGE, row.content, mail_change_place(row.practitioner))
    said: dict[Side, Any] = {"old": row.old_at, "new": row.new_at}
    agreed = frozenset(one for one, at in said.items() if at is not None)
    return MailChange(row.practitioner, fields["mail"], fields["session"], side, agreed)


def mail_change_place(owner: str) -> Place:
    """Where the content of an account's change of address stands."""
    return Place("mail_changes", "content", owner, owner)


def open_account(key: bytes, row: Any) -> None:
    """All that is sealed of a practitioner. Errors: Unreadable, Newer."""
    open_profile(key, row)
    open_password(key, row.id, row.password)


PRACTITIONERS = Owners(
    name="practitioners",
    table=practitioners,
    sealed={"profile": profile_place, "password": password_place},
    open=open_account,
    lets_in=(sessions.c.practitioner, resets.c.practitioner, mail_changes.c.practitioner),
)
