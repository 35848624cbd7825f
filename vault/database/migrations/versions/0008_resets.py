"""Links to a new password, for who forgot one."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "resets",
        sa.Column("token", sa.LargeBinary(32), nullable=False, comment="keyed hash of the link's token"),
        sa.Column("practitioner", sa.String(22), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False, comment="seconds since the Unix epoch"),
        sa.ForeignKeyConstraint(
            ["practitioner"], ["practitioners.id"], name="fk_resets_practitioner_practitioners", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token", name="pk_resets"),
    )
    op.create_index("ix_resets_practitioner", "resets", ["practitioner"])
    op.create_index("ix_resets_created", "resets", ["created"])


def downgrade() -> None:
    """Undo: links that were mailed open nothing."""
    op.drop_table("resets")
