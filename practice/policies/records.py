"""What is inside the sealed column of a policy, and its table."""

from typing import Any

from sqlalchemy import Index

from practice.organisation.records import KEPT
from practice.policies.model import CAPS, FEATURES, Policy
from vault.errors import Unreadable
from vault.keys.envelope import Place
from vault.records.content import Layout, known, moment, number, open_content, seal_content, stamp
from vault.records.records import Kind, kept_row, kept_table

policies = kept_table("policies", "longest retention, by whom, since when, what is barred")
Index("ix_policies_one", policies.c.owner, unique=True, sqlite_where=KEPT, postgresql_where=KEPT)
"""An organisation has decided one thing at a time."""

LAYOUT = Layout(frozenset(("cap", "by", "since", "barred")))


def place(row_id: str, owner: str) -> Place:
    """Where a policy's content stands."""
    return Place("policies", "content", row_id, owner)


def seal_policy(key: bytes, policy: Policy) -> dict[str, Any]:
    """The row of a policy."""
    content = {"cap": policy.cap, "by": policy.by, "since": stamp(policy.since), "barred": sorted(policy.barred)}
    return kept_row(policy, seal_content(key, LAYOUT, content, place(policy.id, policy.owner), policy.unknown))


def open_policy(key: bytes, row: Any) -> Policy:
    """The policy in a row. Errors: Unreadable, Newer (also for what only a newer program can bar)."""
    content, unknown = open_content(key, LAYOUT, row.content, place(row.id, row.owner))
    cap = None if content["cap"] is None else known(content["cap"], CAPS)
    try:
        since, barred = moment(content["since"]), frozenset(known(one, FEATURES) for one in content["barred"])
        return Policy(row.id, row.owner, cap, content["by"], since, barred, number(row.version), unknown)
    except (TypeError, ValueError):
        raise Unreadable from None


POLICIES = Kind(
    name="policies",
    table=policies,
    layout=LAYOUT,
    place=place,
    open=open_policy,
    seal=seal_policy,
    timed=False,
    kept=False,
)
