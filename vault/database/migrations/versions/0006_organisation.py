"""Organisations, and the members that they have.

Undone: roles are lost.
"""

import sqlalchemy as sa
from alembic import op

from vault.database.migrations.sealed import SealedTable

revision = "0006"
down_revision = "0005"

MEMBERS = SealedTable(
    "members",
    "roles, state",
    (sa.Column("account", sa.String(22), nullable=False, comment="no foreign key: who closes may not know this"),),
    unique=("account",),
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "organisations",
        sa.Column("id", sa.String(22), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="sealed: name, address, phone, language, zone"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organisations"),
    )
    MEMBERS.make()


def downgrade() -> None:
    """Undo."""
    op.execute("DELETE FROM marks WHERE name = 'organisation'")
    MEMBERS.drop()
    op.drop_table("organisations")
