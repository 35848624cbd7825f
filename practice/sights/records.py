"""What is inside the sealed column of a sight, and its table."""

from datetime import timedelta
from typing import Any, Final, get_args

from sqlalchemy import BigInteger, Column, Index, String

from practice.sights.model import Sight, SightReason
from vault.errors import Unreadable
from vault.records.content import Layout, known, moment, number, stamp
from vault.records.records import Sealed, kept_table

KEPT: Final = timedelta(days=90)
"""So long, from when it was asked for, the practitioner can read what it was."""

sights = kept_table(
    "sights",
    "whose agenda, who asked, why, who gave it, when, who ended it, when it was used, whether it was read",
    Column("account", String(22), nullable=False, comment="no foreign key: who closes may not know this table"),
    Column("until", BigInteger, nullable=False, comment="when it dies, in seconds since the Unix epoch"),
)
Index(None, sights.c.account)

NAMES: Final = ("account", "asker", "reason", "approver", "ender")
MOMENTS: Final = ("asked", "given", "ended")
SIGHT = Sealed("sights", Layout(frozenset((*NAMES, *MOMENTS, "looks", "seen"))))


def seal_sight(key: bytes, one: Sight) -> dict[str, Any]:
    """The row of a sight. Whose agenda it is of stands inside too: a row turned over to another one is nobody's."""
    content = {name: getattr(one, name) for name in NAMES}
    content |= {name: stamp(getattr(one, name)) for name in MOMENTS}
    content |= {"looks": [stamp(at) for at in one.looks], "seen": one.seen}
    return SIGHT.row(key, one, content, account=one.account, until=int((one.asked + KEPT).timestamp()))


def open_sight(key: bytes, row: Any) -> Sight:
    """The sight in a row. Errors: Unreadable, Newer (also for a reason that only a newer program knows)."""
    content, unknown = SIGHT.open(key, row)
    known(content["reason"], get_args(SightReason))
    if content["account"] != row.account:
        raise Unreadable
    try:
        said = {name: content[name] for name in NAMES} | {name: moment(content[name]) for name in MOMENTS}
        looks = tuple(at for at in map(moment, content["looks"]) if at)
        seen, version = content["seen"] is True, number(row.version)
        return Sight(row.id, row.owner, **said, looks=looks, seen=seen, version=version, unknown=unknown)
    except (AttributeError, TypeError, ValueError):
        raise Unreadable from None


SIGHTS = SIGHT.kind(sights, open_sight, seal_sight, about=sights.c.account)
