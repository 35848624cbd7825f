"""Kinds of records: what is sealed under a data key of its own, stands in one row, and dies in the same four steps.

Sweeper, destruction, closure, backup, restore, proof, inspection and inventory walk over ``rooms.store.kinds`` and know
no kind by name. One more is a file of its own that makes a ``Kind``, a table, a line in ``kinds``, an entry of the
inventory, and tests. Practitioners are no kind: they are who the keys belong to, and go when none of their records is
left.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import ColumnElement, Select, Table, Update, literal_column, select, update

from rooms.keys.envelope import Place
from rooms.store.content import Layout


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
