"""Sight of one practitioner's agenda: who asked for it, who gave it, when it was used."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

MARKED = sa.text("state = 'destroying'")
NO_FOREIGN_KEY = "no foreign key: who closes may not know this table"
SEALED = "sealed: whose agenda, who asked, why, who gave it, when, who ended it, when it was used, whether it was read"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "sights",
        sa.Column("id", sa.String(22), nullable=False),
        sa.Column("owner", sa.String(22), nullable=False, comment=NO_FOREIGN_KEY),
        sa.Column("account", sa.String(22), nullable=False, comment=NO_FOREIGN_KEY),
        sa.Column("until", sa.BigInteger(), nullable=False, comment="when it dies, in seconds since the Unix epoch"),
        sa.Column("state", sa.String(10), nullable=False, comment="kept, destroying"),
        sa.Column(
            "content",
            sa.LargeBinary(),
            nullable=False,
            comment=SEALED,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sights"),
    )
    op.create_index("ix_sights_owner", "sights", ["owner"])
    op.create_index("ix_sights_account", "sights", ["account"])
    op.create_index("ix_sights_marked", "sights", ["id"], sqlite_where=MARKED, postgresql_where=MARKED)


def downgrade() -> None:
    """Undo: nobody reads any more who had sight of an agenda; the trail keeps it."""
    op.drop_table("sights")
