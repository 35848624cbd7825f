"""What is inside the sealed columns of an organisation, its members and its invitations, and their tables."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Update,
    bindparam,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.model import Language
from practice.organisation.model import (
    Colours,
    Department,
    Invitation,
    Member,
    MemberRole,
    MemberState,
    Organisation,
    Profile,
)
from vault.database.marks import is_closing, read_mark
from vault.database.tables import metadata
from vault.errors import Unreadable
from vault.keys.envelope import Place
from vault.records.content import Layout, known, moment, number, open_content, seal_content, stamp
from vault.records.records import Owners, Sealed, kept_table

organisations = Table(
    "organisations",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("content", LargeBinary, nullable=False, comment="sealed: name, address, phone, language, zone"),
    Column("version", Integer, nullable=False),
)

members = kept_table(
    "members",
    "roles, state",
    Column("account", String(22), nullable=False, unique=True, comment="no foreign key: who closes may not know this"),
    Column("asked", BigInteger, comment="when who waits to be let in registered, in seconds since the Unix epoch"),
)
Index(None, members.c.asked)

invitations = kept_table(
    "invitations",
    "address, roles, language, by whom, when, until when, token",
    Column("token", LargeBinary(32), nullable=False, unique=True, comment="keyed hash of the link's token"),
    Column("mail", LargeBinary(32), nullable=False, comment="HMAC of the canonical address"),
    Column("until", BigInteger, nullable=False, comment="seconds since the Unix epoch"),
)
KEPT = text("state = 'kept'")
Index(
    "ix_invitations_mail",
    invitations.c.owner,
    invitations.c.mail,
    sqlite_where=KEPT,
    postgresql_where=KEPT,
)
"""One at a time for each address and whoever sees it, which is looked up while the organisation's row is locked."""

departments = kept_table("departments", "name")

registrations = Table(
    "registrations",
    metadata,
    Column("token", LargeBinary(32), primary_key=True, comment="keyed hash of the link's token"),
    Column("owner", ForeignKey("organisations.id", ondelete="CASCADE"), nullable=False, comment="under whose key"),
    Column("mail", LargeBinary(32), nullable=False, comment="HMAC of the canonical address"),
    Column("content", LargeBinary, nullable=False, comment="sealed: address, language"),
    Column("created", BigInteger, nullable=False, comment="seconds since the Unix epoch"),
    Index(None, "owner"),
    Index(None, "mail"),
    Index(None, "created"),
)
"""Links for who registers, mailed in the name of an organisation; its context is ``practice.registrations``."""

HOUSE = select(organisations.c.id).where(organisations.c.id == bindparam("organisation")).with_for_update()
"""Whoever changes who belongs to an organisation waits for whoever else does."""


ENDING = "ending-"
"""A mark of an organisation that ends once its accounts have; its value is when that was begun, in seconds."""


async def takes_members(connection: AsyncConnection, organisation: str) -> bool:
    """Whether it neither ends nor is closed, which stays so until the transaction ends."""
    there = (await connection.execute(HOUSE, {"organisation": organisation})).first() is not None
    ends = await read_mark(connection, f"{ENDING}{organisation}") is not None
    return there and not ends and not await is_closing(connection, organisation)


ORGANISATION = Layout(frozenset(("name", "address", "phone", "language", "zone")), optional=frozenset(("colours",)))
IN = frozenset(("departments",))
"""Without it somebody is in none, as a program of before has it: that one lets nobody look after a department."""

MEMBER = Sealed("members", Layout(frozenset(("account", "roles", "state")), optional=IN | {"asked"}))
INVITATION = Sealed(
    "invitations", Layout(frozenset(("mail", "roles", "language", "by", "written", "until", "token")), optional=IN)
)
DEPARTMENT = Sealed("departments", Layout(frozenset(("name",))))


def organisation_place(row_id: str) -> Place:
    """Where an organisation's content stands."""
    return Place("organisations", "content", row_id, row_id)


def seal_organisation(key: bytes, one: Organisation) -> dict[str, Any]:
    """The row of an organisation."""
    profile = one.profile
    content = {name: getattr(profile, name) for name in ORGANISATION.fields}
    content["colours"] = asdict(profile.colours) if profile.colours else None
    return {
        "id": one.id,
        "content": seal_content(key, ORGANISATION, content, organisation_place(one.id), one.unknown),
        "version": one.version,
    }


def open_organisation(key: bytes, row: Any) -> Organisation:
    """The organisation in a row. Errors: Unreadable, Newer."""
    content, unknown = open_content(key, ORGANISATION, row.content, organisation_place(row.id))
    known(content["language"], get_args(Language))
    colours = content["colours"]
    try:
        profile = Profile(**{**content, "colours": colours and Colours(**colours)})
        return Organisation(row.id, profile, number(row.version), unknown)
    except (TypeError, ValueError):
        raise Unreadable from None


def replace_organisation(key: bytes, one: Organisation) -> Update:
    """The row of an organisation in place of the version before; of no row where somebody else changed that."""
    ours = (organisations.c.id == one.id, organisations.c.version == one.version - 1)
    return update(organisations).where(*ours).values(seal_organisation(key, one))


def check_organisation(key: bytes, row: Any) -> None:
    """All that is sealed of an organisation. Errors: Unreadable, Newer."""
    open_organisation(key, row)


def seal_member(key: bytes, one: Member) -> dict[str, Any]:
    """The row of a member. Whose it is stands inside too: a row turned over to another account is nobody's."""
    content = {
        "account": one.account,
        "roles": sorted(one.roles),
        "state": one.state,
        "departments": sorted(one.departments) or None,
        "asked": stamp(one.asked),
    }
    asked = None if one.asked is None else int(one.asked.timestamp())
    return MEMBER.row(key, one, content, account=one.account, asked=asked)


def open_member(key: bytes, row: Any) -> Member:
    """The member in a row. Errors: Unreadable, Newer (also for a role that only a newer program knows)."""
    content, unknown = MEMBER.open(key, row)
    if content["account"] != row.account:
        raise Unreadable
    known(content["state"], get_args(MemberState))
    try:
        roles = frozenset(known(one, get_args(MemberRole)) for one in content["roles"])
        version, within = number(row.version), frozenset(content["departments"] or ())
        asked = moment(content["asked"])
    except (TypeError, ValueError):
        raise Unreadable from None
    return Member(row.id, row.owner, row.account, roles, content["state"], version, within, asked, unknown)


def seal_invitation(key: bytes, one: Invitation) -> dict[str, Any]:
    """The row of an invitation. Its link stands inside too: a row turned over to another link opens nothing."""
    content = {
        "mail": one.mail,
        "roles": sorted(one.roles),
        "language": one.language,
        "by": one.by,
        "written": one.written.isoformat(),
        "until": one.until.isoformat(),
        "token": one.token,
        "departments": sorted(one.departments) or None,
    }
    return INVITATION.row(
        key,
        one,
        content,
        token=bytes.fromhex(one.token),
        mail=bytes.fromhex(one.index),
        until=int(one.until.timestamp()),
    )


def open_invitation(key: bytes, row: Any) -> Invitation:
    """The invitation in a row. Errors: Unreadable, Newer (also for a role that only a newer program knows)."""
    content, unknown = INVITATION.open(key, row)
    language = known(content["language"], get_args(Language))
    try:
        if bytes.fromhex(content["token"]) != row.token:
            raise Unreadable
        return Invitation(
            id=row.id,
            owner=row.owner,
            mail=content["mail"],
            roles=frozenset(known(one, get_args(MemberRole)) for one in content["roles"]),
            language=language,
            by=content["by"],
            written=datetime.fromisoformat(content["written"]),
            until=datetime.fromisoformat(content["until"]),
            token=content["token"],
            index=row.mail.hex(),
            version=number(row.version),
            departments=frozenset(content["departments"] or ()),
            unknown=unknown,
        )
    except (AttributeError, TypeError, ValueError):
        raise Unreadable from None


def seal_department(key: bytes, one: Department) -> dict[str, Any]:
    """The row of a department."""
    return DEPARTMENT.row(key, one, {"name": one.name})


def open_department(key: bytes, row: Any) -> Department:
    """The department in a row. Errors: Unreadable, Newer."""
    content, unknown = DEPARTMENT.open(key, row)
    try:
        return Department(row.id, row.owner, content["name"], number(row.version), unknown)
    except ValueError:
        raise Unreadable from None


ORGANISATIONS = Owners(
    name="organisations",
    table=organisations,
    sealed={"content": organisation_place},
    open=check_organisation,
    lets_in=(registrations.c.owner,),
)

MEMBERS = MEMBER.kind(members, open_member, seal_member, about=members.c.account)
INVITATIONS = INVITATION.kind(invitations, open_invitation, seal_invitation)
DEPARTMENTS = DEPARTMENT.kind(departments, open_department, seal_department)
