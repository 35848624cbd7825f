"""Which assistants work for which practitioners."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

KEPT = sa.text("state = 'kept'")
MARKED = sa.text("state = 'destroying'")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "engagements",
        sa.Column("id", sa.String(22), nullable=False),
        sa.Column(
            "owner",
            sa.String(22),
            nullable=False,
            comment="no foreign key: who closes may not know this table",
        ),
        sa.Column("account", sa.String(22), nullable=False, comment="who works; no foreign key, as of the owner"),
        sa.Column("state", sa.String(10), nullable=False, comment="kept, destroying"),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="sealed: account, label"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_engagements"),
    )
    op.create_index("ix_engagements_owner", "engagements", ["owner"])
    op.create_index("ix_engagements_account", "engagements", ["account"])
    op.create_index("ix_engagements_marked", "engagements", ["id"], sqlite_where=MARKED, postgresql_where=MARKED)
    op.create_index(
        "ix_engagements_pair",
        "engagements",
        ["owner", "account"],
        unique=True,
        sqlite_where=KEPT,
        postgresql_where=KEPT,
    )


def downgrade() -> None:
    """Undo: assistants work for nobody, and the server forgets the keys of who worked a week after its next start."""
    op.drop_table("engagements")
