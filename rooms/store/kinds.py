"""All kinds of records that there are."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CompoundSelect, select, union_all

from rooms.store.records import Kind
from rooms.store.sealed import APPOINTMENTS
from rooms.store.sentences import SENTENCES
from rooms.store.tables import practitioners

KINDS: tuple[Kind[Any], ...] = (APPOINTMENTS, SENTENCES)

ROWS_WITH_KEYS = (practitioners, *(kind.table for kind in KINDS))
"""Tables in which every row has a data key of the row's id."""


def with_ids(ids: Sequence[str]) -> CompoundSelect[Any]:
    """A query for those of the ids that a row has."""
    return union_all(*(select(table.c.id).where(table.c.id.in_(ids)) for table in ROWS_WITH_KEYS))


def owned_by(owner: str) -> CompoundSelect[Any]:
    """A query for all rows of an owner's, in whatever state."""
    return union_all(*(select(kind.table.c.id).where(kind.table.c.owner == owner) for kind in KINDS))
