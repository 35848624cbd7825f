"""What is inside the sealed column of a policy, and its table."""

from typing import Any

from practice.policies.model import CAPS, FEATURES, Policy
from vault.errors import Unreadable
from vault.records.content import Layout, known, moment, number, stamp
from vault.records.records import Sealed, kept_once, kept_table

policies = kept_table("policies", "longest retention, by whom, since when, what is barred")
kept_once("ix_policies_one", policies.c.owner)
"""An organisation has decided one thing at a time."""

POLICY = Sealed("policies", Layout(frozenset(("cap", "by", "since", "barred")), optional=frozenset(("reminders",))))


def seal_policy(key: bytes, policy: Policy) -> dict[str, Any]:
    """The row of a policy."""
    content = {
        "cap": policy.cap,
        "by": policy.by,
        "since": stamp(policy.since),
        "barred": sorted(policy.barred),
        "reminders": sorted(policy.reminders) or None,
    }
    return POLICY.row(key, policy, content)


def open_policy(key: bytes, row: Any) -> Policy:
    """The policy in a row. Errors: Unreadable, Newer (also for what only a newer program can bar)."""
    content, unknown = POLICY.open(key, row)
    cap = None if content["cap"] is None else known(content["cap"], CAPS)
    try:
        since, barred = moment(content["since"]), frozenset(known(one, FEATURES) for one in content["barred"])
        hours = frozenset(number(one) for one in content["reminders"] or ())
        version = number(row.version)
        return Policy(row.id, row.owner, cap, content["by"], since, barred, version, hours, unknown)
    except (TypeError, ValueError):
        raise Unreadable from None


POLICIES = POLICY.kind(policies, open_policy, seal_policy)
