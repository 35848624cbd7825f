"""Parts of an organisation."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

MARKED = sa.text("state = 'destroying'")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "departments",
        sa.Column("id", sa.String(22), nullable=False),
        sa.Column(
            "owner",
            sa.String(22),
            nullable=False,
            comment="no foreign key: who closes may not know this table",
        ),
        sa.Column("state", sa.String(10), nullable=False, comment="kept, destroying"),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="sealed: name"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_departments"),
    )
    op.create_index("ix_departments_owner", "departments", ["owner"])
    op.create_index("ix_departments_marked", "departments", ["id"], sqlite_where=MARKED, postgresql_where=MARKED)


def downgrade() -> None:
    """Undo: who administers a department looks after nobody, and the server forgets the keys of departments a week
    after its next start.
    """
    op.drop_table("departments")
