"""What is inside the sealed column of a calendar feed, and its table."""

import hmac
from datetime import datetime
from typing import Any

from sqlalchemy import Column, LargeBinary

from practice.feeds.model import Feed
from vault.errors import Unreadable
from vault.records.content import Layout, number
from vault.records.records import Sealed, kept_once, kept_table

feeds = kept_table(
    "feeds",
    "token, since when",
    Column("token", LargeBinary(32), nullable=False, unique=True, comment="hash of what the feed's address holds"),
)
kept_once("ix_feeds_one", feeds.c.owner)
"""An account has one at a time."""

FEED = Sealed("feeds", Layout(frozenset(("token", "since"))))


def seal_feed(key: bytes, one: Feed) -> dict[str, Any]:
    """The row of a feed."""
    return FEED.row(key, one, {"token": one.token, "since": one.since.isoformat()}, token=bytes.fromhex(one.token))


def open_feed(key: bytes, row: Any) -> Feed:
    """The feed in a row. Errors: Unreadable (also where its token is not that which was sealed), Newer."""
    content, unknown = FEED.open(key, row)
    try:
        if not hmac.compare_digest(bytes.fromhex(content["token"]), row.token):
            raise Unreadable
        since = datetime.fromisoformat(content["since"])
        return Feed(row.id, row.owner, content["token"], since, number(row.version), unknown)
    except (TypeError, ValueError):
        raise Unreadable from None


# Since when there is one: its address is known to whoever subscribed alone.
FEEDS = FEED.kind(feeds, open_feed, seal_feed, export=lambda one: {"since": one.since.isoformat()})
