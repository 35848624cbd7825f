"""What is inside the sealed column of a push subscription, and its table."""

import hmac
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Column, Integer, LargeBinary

from practice.push_subscriptions.model import PushSubscription
from vault.errors import Unreadable
from vault.records.content import Layout, number
from vault.records.records import Sealed, kept_once, kept_table

push_subscriptions = kept_table(
    "push_subscriptions",
    "endpoint, session, renewed",
    Column("endpoint", LargeBinary(32), nullable=False, comment="hash of the endpoint"),
    Column("renewed", Integer, nullable=False, comment="seconds since the Unix epoch"),
)
kept_once("ix_push_subscriptions_one", push_subscriptions.c.endpoint)
"""A browser is one account's at a time."""

PUSH_SUBSCRIPTION = Sealed("push_subscriptions", Layout(frozenset(("endpoint", "session", "renewed"))))


def hashed(endpoint: str) -> bytes:
    """By what a row is found: an endpoint cannot be guessed (RFC 8030 section 8.3), so neither can what it was."""
    return sha256(f"push {endpoint}".encode()).digest()


def seal_push_subscription(key: bytes, one: PushSubscription) -> dict[str, Any]:
    """The row of a push subscription."""
    fields = {"endpoint": one.endpoint, "session": one.session, "renewed": one.renewed.isoformat()}
    return PUSH_SUBSCRIPTION.row(
        key, one, fields, endpoint=hashed(one.endpoint), renewed=int(one.renewed.timestamp())
    )  # fmt: skip


def open_push_subscription(key: bytes, row: Any) -> PushSubscription:
    """The push subscription in a row. Errors: Unreadable (also where what stands in clear is not what was sealed),
    Newer.
    """
    content, unknown = PUSH_SUBSCRIPTION.open(key, row)
    try:
        endpoint, session = content["endpoint"], content["session"]
        renewed = datetime.fromisoformat(content["renewed"])
        same = hmac.compare_digest(hashed(endpoint), row.endpoint) and int(renewed.timestamp()) == row.renewed
        if not (isinstance(endpoint, str) and isinstance(session, str) and same):
            raise Unreadable
        return PushSubscription(row.id, row.owner, endpoint, session, renewed, number(row.version), unknown)
    except (TypeError, ValueError):
        raise Unreadable from None


# When its desk was last open: the endpoint is between us and its push service.
PUSH_SUBSCRIPTIONS = PUSH_SUBSCRIPTION.kind(
    push_subscriptions,
    open_push_subscription,
    seal_push_subscription,
    export=lambda one: {"renewed": one.renewed.isoformat()},
)
