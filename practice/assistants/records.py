"""What is inside the sealed column of an engagement, and its table.

It is the practitioner's, whose appointments it opens: it hangs on that one's key, and ends with either account.
"""

from typing import Any, Final, get_args

from sqlalchemy import Column, Index, String, Update, text

from practice.assistants.model import Engagement
from practice.organisation.model import Member
from practice.organisation.rights import Right, allowed
from vault.errors import Unreadable
from vault.keys.envelope import Place
from vault.records.content import Layout, known, number, open_content, seal_content
from vault.records.records import Kind, kept_row, kept_table
from vault.records.scope import Label

engagements = kept_table(
    "engagements",
    "account, label",
    Column("account", String(22), nullable=False, comment="who works; no foreign key, as of the owner"),
)
Index("ix_engagements_account", engagements.c.account)
KEPT = text("state = 'kept'")
Index(
    "ix_engagements_pair",
    engagements.c.owner,
    engagements.c.account,
    unique=True,
    sqlite_where=KEPT,
    postgresql_where=KEPT,
)
"""One at a time for each two, beside those that are being destroyed."""

LAYOUT: Final = Layout(frozenset(("account", "label")), optional=frozenset(("admits",)))


def place(row_id: str, owner: str) -> Place:
    """Where an engagement's content stands."""
    return Place("engagements", "content", row_id, owner)


def seal_engagement(key: bytes, one: Engagement) -> dict[str, Any]:
    """The row of an engagement. Whose it is stands inside too: a row turned over to somebody else lets nobody in."""
    content = {"account": one.account, "label": one.label, "admits": one.admits or None}
    return kept_row(one, seal_content(key, LAYOUT, content, place(one.id, one.owner), one.unknown), account=one.account)


def open_engagement(key: bytes, row: Any) -> Engagement:
    """The engagement in a row. Errors: Unreadable, Newer."""
    content, unknown = open_content(key, LAYOUT, row.content, place(row.id, row.owner))
    if content["account"] != row.account:
        raise Unreadable
    label = known(content["label"], get_args(Label))
    try:
        return Engagement(
            row.id, row.owner, row.account, label, number(row.version), content["admits"] is True, unknown
        )
    except ValueError:
        raise Unreadable from None


ENGAGEMENTS: Final = Kind(
    name="engagements",
    table=engagements,
    layout=LAYOUT,
    place=place,
    open=open_engagement,
    seal=seal_engagement,
    timed=False,
    kept=False,
    about=engagements.c.account,
    export=lambda one: {"account": one.account, "label": one.label, "admits": one.admits},
)


def served(account: str) -> Update:
    """Nobody works for this practitioner any more: step 1 of destroying all such."""
    return ENGAGEMENTS.marking().where(engagements.c.owner == account, ENGAGEMENTS.is_living)


def ending(member: Member) -> list[Update]:
    """What ends with what a member is no longer: that others work for them, that they work for others."""
    serving = ENGAGEMENTS.marking().where(engagements.c.account == member.account, ENGAGEMENTS.is_living)
    serves = member.active and assists(member)
    is_served = member.active and allowed(Right.AGENDA, member.roles)
    return [*([] if serves else [serving]), *([] if is_served else [served(member.account)])]


def assists(member: Member) -> bool:
    """Whether somebody may work for others."""
    return allowed(Right.ASSIST, member.roles)
