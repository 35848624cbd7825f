"""Organisations, and the members that they have."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MARKED = sa.text("state = 'destroying'")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "organisations",
        sa.Column("id", sa.String(22), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="sealed: name, address, phone, language, zone"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organisations"),
    )
    op.create_table(
        "members",
        sa.Column("id", sa.String(22), nullable=False),
        sa.Column(
            "owner",
            sa.String(22),
            nullable=False,
            comment="no foreign key: who closes may not know this table",
        ),
        sa.Column("account", sa.String(22), nullable=False, comment="no foreign key: who closes may not know this"),
        sa.Column("state", sa.String(10), nullable=False, comment="kept, destroying"),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="sealed: roles, state"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_members"),
        sa.UniqueConstraint("account", name="uq_members_account"),
    )
    op.create_index("ix_members_owner", "members", ["owner"])
    op.create_index("ix_members_marked", "members", ["id"], sqlite_where=MARKED, postgresql_where=MARKED)


def downgrade() -> None:
    """Undo: roles are lost, and the server forgets their keys a week after its next start."""
    op.execute("DELETE FROM marks WHERE name = 'organisation'")
    op.drop_table("members")
    op.drop_table("organisations")
