"""What is inside the sealed column of an engagement, and its table.

It is the practitioner's, whose appointments it opens: it hangs on that one's key, and ends with either account.
"""

from typing import Any, Final, get_args

from sqlalchemy import Column, Index, String, Update

from practice.assistants.model import Engagement
from practice.organisation.model import Member
from practice.organisation.rights import Right, allowed
from vault.errors import Unreadable
from vault.records.content import Layout, known, number
from vault.records.records import Sealed, kept_once, kept_table
from vault.records.scope import Label

engagements = kept_table(
    "engagements",
    "account, label",
    Column("account", String(22), nullable=False, comment="who works; no foreign key, as of the owner"),
)
Index("ix_engagements_account", engagements.c.account)
kept_once("ix_engagements_pair", engagements.c.owner, engagements.c.account)
"""One at a time for each two, beside those that are being destroyed."""

ENGAGEMENT = Sealed("engagements", Layout(frozenset(("account", "label")), optional=frozenset(("admits",))))


def seal_engagement(key: bytes, one: Engagement) -> dict[str, Any]:
    """The row of an engagement. Whose it is stands inside too: a row turned over to somebody else lets nobody in."""
    content = {"account": one.account, "label": one.label, "admits": one.admits or None}
    return ENGAGEMENT.row(key, one, content, account=one.account)


def open_engagement(key: bytes, row: Any) -> Engagement:
    """The engagement in a row. Errors: Unreadable, Newer."""
    content, unknown = ENGAGEMENT.open(key, row)
    if content["account"] != row.account:
        raise Unreadable
    label = known(content["label"], get_args(Label))
    try:
        return Engagement(
            row.id, row.owner, row.account, label, number(row.version), content["admits"] is True, unknown
        )
    except ValueError:
        raise Unreadable from None


ENGAGEMENTS: Final = ENGAGEMENT.kind(
    engagements,
    open_engagement,
    seal_engagement,
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
