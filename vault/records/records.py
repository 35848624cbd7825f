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
    Delete,
    Index,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
    Update,
    delete,
    literal_column,
    select,
    text,
    union_all,
    update,
)

from vault.database.tables import metadata
from vault.keys.envelope import Place
from vault.records.content import Content, Fields, Layout, open_content, seal_content


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
    account; one that is ``about`` another owner ends with that one too. Of ``kept`` ones other parts keep something,
    and are told when one is destroyed. ``place`` is where the content of (id, owner) stands: its words stay as they are
    for ever, whatever becomes of the table's name.
    """

    name: str
    table: Table
    layout: Layout
    place: Callable[[str, str], Place]
    open: Callable[[bytes, Any], R]
    seal: Callable[[bytes, R], dict[str, Any]]
    timed: bool
    kept: bool
    about: Column[str] | None = None
    export: Callable[[R], Mapping[str, Any]] | None = None
    """What its owner may take along of one, in types of JSON; without it nothing of this kind is given out."""

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

    def ending_with(self, owner: str) -> ColumnElement[bool]:
        """Whether a row ends when the account of this owner does."""
        theirs = self.table.c.owner == owner
        return theirs if self.about is None else theirs | (self.about == owner)

    def living(self) -> Select[Any]:
        """All that are not being destroyed."""
        return select(self.table).where(self.is_living)

    def marked(self) -> Select[Any]:
        """Those that are."""
        return select(self.table).where(self.is_marked)

    def marking(self) -> Update:
        """Step 1 of destroying."""
        return update(self.table).values(state="destroying")


def kept_table(name: str, sealed: str, *more: Column[Any]) -> Table:
    """The table of a kind that is not timed, with what ``more`` stands in it; ``sealed`` lists what content holds.

    Its owner is no foreign key: a server of the first release deletes the row of an account that it closes, and knows
    no row here. Ours finds what such a one left, at its start.
    """
    marked = text("state = 'destroying'")
    return Table(
        name,
        metadata,
        Column("id", String(22), primary_key=True),
        Column("owner", String(22), nullable=False, comment="no foreign key: who closes may not know this table"),
        *more,
        Column("state", String(10), nullable=False, comment="kept, destroying"),
        Column("content", LargeBinary, nullable=False, comment=f"sealed: {sealed}"),
        Column("version", Integer, nullable=False),
        Index(None, "owner"),
        Index(f"ix_{name}_marked", "id", sqlite_where=marked, postgresql_where=marked),
    )


def kept_once(name: str, *columns: Column[Any]) -> Index:
    """Of the rows that are not being destroyed, one with the same ``columns`` of such a table."""
    kept = text("state = 'kept'")
    return Index(name, *columns, unique=True, sqlite_where=kept, postgresql_where=kept)


class Kept(Record, Protocol):
    """What a row of ``kept_table`` is made of."""

    @property
    def unknown(self) -> Fields:
        """What a newer program keeps beside the fields that we know."""


def kept_row(one: Kept, content: bytes, **more: Any) -> dict[str, Any]:
    """The row of a record of such a table that lives, with its sealed ``content`` and what else stands in clear."""
    return {"id": one.id, "owner": one.owner, "state": "kept", "content": content, "version": one.version} | more


@dataclass(frozen=True)
class Sealed:
    """What is sealed in the rows of such a table. ``name`` is the word of their place: it stays as it is for ever,
    whatever becomes of the table's name.
    """

    name: str
    layout: Layout

    def place(self, row_id: str, owner: str) -> Place:
        """Where the content of a row stands."""
        return Place(self.name, "content", row_id, owner)

    def row(self, key: bytes, one: Kept, fields: Fields, **more: Any) -> dict[str, Any]:
        """The row of a record that lives, with ``fields`` sealed and ``more`` in clear."""
        content = seal_content(key, self.layout, fields, self.place(one.id, one.owner), one.unknown)
        return kept_row(one, content, **more)

    def open(self, key: bytes, row: Any) -> Content:
        """What is sealed in a row. Errors: Unreadable, Newer."""
        return open_content(key, self.layout, row.content, self.place(row.id, row.owner))

    def kind(
        self,
        table: Table,
        opens: Callable[[bytes, Any], R],
        seals: Callable[[bytes, R], dict[str, Any]],
        about: Column[str] | None = None,
        export: Callable[[R], Mapping[str, Any]] | None = None,
    ) -> Kind[R]:
        """The kind of which these are the records: without a due time, and nothing else is kept of one."""
        return Kind(table.name, table, self.layout, self.place, opens, seals, False, False, about, export)


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
    Newer). ``lets_in`` are columns of tables of which every row lets in the owner whom the column names: these rows end
    when closing begins, and are in no backup. Of an organisation it is somebody else whom a row lets in.
    """

    name: str
    table: Table
    sealed: Mapping[str, Callable[[str], Place]]
    open: Callable[[bytes, Any], None]
    lets_in: tuple[Column[str], ...] = ()

    def sign_out(self, owner: str) -> Sequence[Delete]:
        """What leaves nothing that lets one of them in."""
        return [delete(column.table).where(column == owner) for column in self.lets_in]


@dataclass(frozen=True)
class Kinds:
    """All that is stored under keys of its own: every kind of owners, and every kind of their records.

    The first of ``owners`` are in every database, however old. ``passing`` are tables whose rows hang on a record: they
    are sealed under its key, go with its row, and are of a moment, so that no backup has them.
    """

    owners: tuple[Owners, ...]
    records: tuple[Kind[Any], ...]
    passing: tuple[Table, ...] = ()

    def __iter__(self) -> Iterator[Kind[Any]]:
        return iter(self.records)

    @property
    def timed(self) -> tuple[Kind[Any], ...]:
        """Those that have a due time."""
        return tuple(kind for kind in self.records if kind.timed)

    @property
    def lets_in(self) -> tuple[Table, ...]:
        """Tables in which every row lets somebody in."""
        return tuple(column.table for one in self.owners for column in one.lets_in)

    @property
    def tables(self) -> tuple[Table, ...]:
        """Tables in which every row has a data key of the row's id."""
        return (*(one.table for one in self.owners), *(kind.table for kind in self.records))

    def with_ids(self, ids: Sequence[str]) -> CompoundSelect[Any]:
        """A query for those of the ids that a row has."""
        return union_all(*(select(table.c.id).where(table.c.id.in_(ids)) for table in self.tables))

    def owned_by(self, owner: str) -> CompoundSelect[Any]:
        """A query for all rows of an owner's, in whatever state."""
        return union_all(*(select(kind.table.c.id).where(kind.table.c.owner == owner) for kind in self.records))
