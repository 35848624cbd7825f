"""What people tell of themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

MARKED = sa.text("state = 'destroying'")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "particulars",
        sa.Column("id", sa.String(22), nullable=False),
        sa.Column(
            "owner",
            sa.String(22),
            nullable=False,
            comment="no foreign key: who closes may not know this table",
        ),
        sa.Column("state", sa.String(10), nullable=False, comment="kept, destroying"),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="sealed: gender, birth, address, phone, note"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_particulars"),
    )
    op.create_index("ix_particulars_owner", "particulars", ["owner"])
    op.create_index("ix_particulars_marked", "particulars", ["id"], sqlite_where=MARKED, postgresql_where=MARKED)


def downgrade() -> None:
    """Undo: what people told is lost, and the server forgets their keys a week after its next start."""
    op.drop_table("particulars")
