"""Mail about an account that is still to be sent."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MARKED = sa.text("state = 'destroying'")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "notices",
        sa.Column("id", sa.String(22), nullable=False),
        sa.Column(
            "owner",
            sa.String(22),
            nullable=False,
            comment="no foreign key: who closes may not know this table",
        ),
        sa.Column("state", sa.String(10), nullable=False, comment="kept, destroying"),
        sa.Column("written", sa.BigInteger(), nullable=False, comment="milliseconds since the Unix epoch"),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="sealed: which text, to whom, values, tries"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
    )
    op.create_index("ix_notices_owner", "notices", ["owner"])
    op.create_index("ix_notices_marked", "notices", ["id"], sqlite_where=MARKED, postgresql_where=MARKED)


def downgrade() -> None:
    """Undo: mail that was not sent is lost, and the server forgets its keys a week after its next start."""
    op.drop_table("notices")
