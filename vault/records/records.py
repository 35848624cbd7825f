"""Kinds of records: what is sealed under a data key of its own, stands in one row, and dies in the same four steps.

Sweeper, destruction, closure, backup, restore, proof, inspection and inventory walk over the ``Kinds`` that they are
given and know none by name. One more is a file of its own that makes a ``Kind``, a table, a line where all are put
together, an entry of the inventory, and tests. Owners are no kind: they are who the keys belong to, and go when none of
their records is left.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    CompoundSelect,
    Select,
    Table,
    Update,
    literal_column,
    select,
    union_all,
    update,
)

from vault.keys.envelope import Place
from vault.records.content import Layout


class Record(Protocol):
    """What every record says of itself, opened."""

    @property
    def id(self) -> str:
        """128 random bits, unlike that of any other record of any kind."""

    @property
    def owner(self) -> str:
        """Whose key its own hangs on."""

    @property
    def version(self) -> int:
        """Counts changes of its row."""


R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Kind(Generic[R]):
    """``name`` is plural, for operators. The table has ``id``, ``owner``, ``state``, ``content`` and ``version``.

    ``timed`` records have a due time: ``due``, and in the table ``due_day``. The others live as long as their owner's
    account. Of ``kept`` ones other parts keep something, and are told when one is destroyed. ``place`` is where the
    content of (id, owner) stands: its words stay as they are for ever, whatever becomes of the table's name.
    """

    name: str
    table: Table
    layout: Layout
    place: Callable[[str, str], Place]
    open: Callable[[bytes, Any], R]
    seal: Callable[[bytes, R], dict[str, Any]]
    timed: bool
    kept: bool

    @property
    def is_marked(self) -> ColumnElement[bool]:
        """Whether a row is being destroyed.

        In the statement's own words: an index over a part of the rows is not found by a parameter.
        """
        return self.table.c.state == literal_column("'destroying'")

    @property
    def is_living(self) -> ColumnElement[bool]:
        """Whether it is not."""
        return self.table.c.state != literal_column("'destroying'")

    def living(self) -> Select[Any]:
        """All that are not being destroyed."""
        return select(self.table).where(self.is_living)

    def marked(self) -> Select[Any]:
        """Those that are."""
        return select(self.table).where(self.is_marked)

    def marking(self) -> Update:
        """Step 1 of destroying."""
        return update(self.table).values(state="destroying")


@dataclass(frozen=True, slots=True)
class Damaged:
    """What is known of a record that cannot be read; ``newer`` where only an older program cannot."""

    id: str
    owner: str
    state: str
    newer: bool = False


@dataclass(frozen=True)
class Owners:
    """Whose keys all others hang on. ``name`` is plural, for operators. In the table each row's ``id`` is an owner.

    ``sealed`` is where the content of each sealed column of an owner stands; ``open`` opens them all (Unreadable,
    Newer). Rows of ``sessions`` let the owner in whom ``session_of`` says: they end when closing begins, and are in no
    backup.
    """

    name: str
    table: Table
    sealed: Mapping[str, Callable[[str], Place]]
    open: Callable[[bytes, Any], None]
    sessions: Table
    session_of: Column[str]


@dataclass(frozen=True)
class Kinds:
    """All that is stored under keys of its own: the owners, and every kind of their records."""

    owners: Owners
    records: tuple[Kind[Any], ...]

    def __iter__(self) -> Iterator[Kind[Any]]:
        return iter(self.records)

    @property
    def timed(self) -> tuple[Kind[Any], ...]:
        """Those that have a due time."""
        return tuple(kind for kind in self.records if kind.timed)

    @property
    def tables(self) -> tuple[Table, ...]:
        """Tables in which every row has a data key of the row's id."""
        return (self.owners.table, *(kind.table for kind in self.records))

    def with_ids(self, ids: Sequence[str]) -> CompoundSelect[Any]:
        """A query for those of the ids that a row has."""
        return union_all(*(select(table.c.id).where(table.c.id.in_(ids)) for table in self.tables))

    def owned_by(self, owner: str) -> CompoundSelect[Any]:
        """A query for all rows of an owner's, in whatever state."""
        return union_all(*(select(kind.table.c.id).where(kind.table.c.owner == owner) for kind in self.records))
