"""What steps that make the table of a kind have in common.

**Frozen**: steps that ran everywhere call it, so what it makes stays as it is, letter for letter (a test has the text).
A table of another shape is a class beside this one.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from alembic import op

ID = 22
"""Characters: 128 bits in base64url."""

NO_FOREIGN_KEY = "no foreign key: who closes may not know this table"
KEPT = sa.text("state = 'kept'")
MARKED = sa.text("state = 'destroying'")


@dataclass(frozen=True)
class SealedTable:
    """The table of a kind without a due time, as ``vault.records.records.kept_table`` has it.

    ``sealed`` lists what content holds; ``more`` columns stand in clear between the owner and the state, and of each
    of ``unique`` there is one value.
    """

    name: str
    sealed: str
    more: tuple[sa.Column[Any], ...] = ()
    unique: tuple[str, ...] = ()

    def make(self) -> None:
        """The table, with an index over owners and one over rows that are being destroyed."""
        op.create_table(
            self.name,
            sa.Column("id", sa.String(ID), nullable=False),
            sa.Column("owner", sa.String(ID), nullable=False, comment=NO_FOREIGN_KEY),
            *self.more,
            sa.Column("state", sa.String(10), nullable=False, comment="kept, destroying"),
            sa.Column("content", sa.LargeBinary(), nullable=False, comment=f"sealed: {self.sealed}"),
            sa.Column("version", sa.Integer(), nullable=False),
            sa.PrimaryKeyConstraint("id", name=f"pk_{self.name}"),
            *(sa.UniqueConstraint(one, name=f"uq_{self.name}_{one}") for one in self.unique),
        )
        op.create_index(f"ix_{self.name}_owner", self.name, ["owner"])
        op.create_index(f"ix_{self.name}_marked", self.name, ["id"], sqlite_where=MARKED, postgresql_where=MARKED)

    def make_one(self) -> None:
        """The table, of which an owner has one row beside those that are being destroyed."""
        self.make()
        self.keep_one("one", "owner")

    def keep_one(self, name: str, *columns: str) -> None:
        """Beside rows that are being destroyed, one with the same ``columns``."""
        index = f"ix_{self.name}_{name}"
        op.create_index(index, self.name, columns, unique=True, sqlite_where=KEPT, postgresql_where=KEPT)

    def drop(self) -> None:
        """All of it is lost, and the server forgets the keys a week after its next start."""
        op.drop_table(self.name)
