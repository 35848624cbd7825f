"""What is inside the sealed columns of subscriptions and circulars, and their tables."""

from collections.abc import Mapping
from typing import Any, Final, get_args

from sqlalchemy import Column, Index, LargeBinary, String

from practice.accounts.model import Language
from practice.circulars.model import Circular, Subscription, Topic, Use
from vault.errors import Unreadable
from vault.records.content import Layout, known, moment, number, stamp
from vault.records.records import Sealed, kept_table

subscriptions = kept_table(
    "subscriptions",
    "whose newsletter, which text was agreed to, when asked, given, withdrawn, until which letter, link",
    Column("organisation", String(22), nullable=False, comment="no foreign key: who closes may not know this table"),
    Column("token", LargeBinary(32), nullable=False, unique=True, comment="keyed hash of the link's token"),
)
Index(None, subscriptions.c.organisation)

circulars = kept_table("circulars", "what for, about what, subject, text, language, by whom, when, how many it reached")

PLAIN: Final = ("organisation", "wording", "language", "seed")
MOMENTS: Final = ("asked", "given", "withdrawn", "served")
SUBSCRIPTION = Sealed("subscriptions", Layout(frozenset((*PLAIN, *MOMENTS))))

SAID: Final = ("use", "topic", "subject", "text", "language", "by", "reached", "refused", "told")
TIMES: Final = ("written", "sent", "ended")
CIRCULAR = Sealed("circulars", Layout(frozenset((*SAID, *TIMES))))


def seal_subscription(key: bytes, one: Subscription) -> dict[str, Any]:
    """The row of a subscription. Whose newsletter it is of stands inside too: turned over to another it is nobody's."""
    content = {name: getattr(one, name) for name in PLAIN} | {name: stamp(getattr(one, name)) for name in MOMENTS}
    return SUBSCRIPTION.row(key, one, content, organisation=one.organisation, token=bytes.fromhex(one.token))


def open_subscription(key: bytes, row: Any) -> Subscription:
    """The subscription in a row. Errors: Unreadable, Newer."""
    content, unknown = SUBSCRIPTION.open(key, row)
    known(content["language"], get_args(Language))
    if content["organisation"] != row.organisation:
        raise Unreadable
    try:
        said = {name: content[name] for name in PLAIN} | {name: moment(content[name]) for name in MOMENTS}
        token, version = bytes(row.token).hex(), number(row.version)
        return Subscription(row.id, row.owner, token=token, version=version, unknown=unknown, **said)
    except (AttributeError, TypeError, ValueError):
        raise Unreadable from None


def export_subscription(one: Subscription) -> Mapping[str, Any]:
    """What was agreed to, and when; not what its link holds."""
    said = {name: stamp(getattr(one, name)) for name in MOMENTS[:3]}
    return {"wording": one.wording, "language": one.language, **said}


def seal_circular(key: bytes, one: Circular) -> dict[str, Any]:
    """The row of a circular."""
    content = {name: getattr(one, name) for name in SAID} | {name: stamp(getattr(one, name)) for name in TIMES}
    return CIRCULAR.row(key, one, content)


def open_circular(key: bytes, row: Any) -> Circular:
    """The circular in a row. Errors: Unreadable, Newer (also for a use or topic that only a newer program knows)."""
    content, unknown = CIRCULAR.open(key, row)
    known(content["use"], get_args(Use))
    known(content["topic"], (None, *get_args(Topic)))
    known(content["language"], get_args(Language))
    try:
        said = {name: content[name] for name in SAID} | {name: moment(content[name]) for name in TIMES}
        return Circular(row.id, row.owner, version=number(row.version), unknown=unknown, **said)
    except (AttributeError, TypeError, ValueError):
        raise Unreadable from None


SUBSCRIPTIONS = SUBSCRIPTION.kind(
    subscriptions,
    open_subscription,
    seal_subscription,
    about=subscriptions.c.organisation,
    export=export_subscription,
)
CIRCULARS = CIRCULAR.kind(circulars, open_circular, seal_circular)
