"""What organisations decide for their practitioners."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

KEPT = sa.text("state = 'kept'")
MARKED = sa.text("state = 'destroying'")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "policies",
        sa.Column("id", sa.String(22), nullable=False),
        sa.Column(
            "owner",
            sa.String(22),
            nullable=False,
            comment="no foreign key: who closes may not know this table",
        ),
        sa.Column("state", sa.String(10), nullable=False, comment="kept, destroying"),
        sa.Column(
            "content",
            sa.LargeBinary(),
            nullable=False,
            comment="sealed: longest retention, by whom, since when, what is barred",
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_policies"),
    )
    op.create_index("ix_policies_owner", "policies", ["owner"])
    op.create_index("ix_policies_marked", "policies", ["id"], sqlite_where=MARKED, postgresql_where=MARKED)
    op.create_index("ix_policies_one", "policies", ["owner"], unique=True, sqlite_where=KEPT, postgresql_where=KEPT)


def downgrade() -> None:
    """Undo: nothing is decided any more, and the server forgets the keys of it a week after its next start."""
    op.drop_table("policies")
