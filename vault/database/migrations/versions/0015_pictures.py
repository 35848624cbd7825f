"""Logos of organisations and photographs of accounts."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

MARKED = sa.text("state = 'destroying'")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "pictures",
        sa.Column("id", sa.String(22), nullable=False),
        sa.Column(
            "owner",
            sa.String(22),
            nullable=False,
            comment="no foreign key: who closes may not know this table",
        ),
        sa.Column("state", sa.String(10), nullable=False, comment="kept, destroying"),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="sealed: use, data, shown"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pictures"),
    )
    op.create_index("ix_pictures_owner", "pictures", ["owner"])
    op.create_index("ix_pictures_marked", "pictures", ["id"], sqlite_where=MARKED, postgresql_where=MARKED)


def downgrade() -> None:
    """Undo: the pictures are lost, and the server forgets their keys a week after its next start."""
    op.drop_table("pictures")
