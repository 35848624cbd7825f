"""Other mail addresses that were asked for and not yet confirmed."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "mail_changes",
        sa.Column("practitioner", sa.String(22), nullable=False),
        sa.Column("old_token", sa.LargeBinary(32), nullable=False, comment="keyed hash of what the old one got"),
        sa.Column("new_token", sa.LargeBinary(32), nullable=False, comment="keyed hash of what the new one got"),
        sa.Column("old_at", sa.BigInteger(), comment="when the old one confirmed, in seconds since the Unix epoch"),
        sa.Column("new_at", sa.BigInteger(), comment="when the new one confirmed, in seconds since the Unix epoch"),
        sa.Column("created", sa.BigInteger(), nullable=False, comment="seconds since the Unix epoch"),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="sealed: the new address, and in which session"),
        sa.ForeignKeyConstraint(
            ["practitioner"],
            ["practitioners.id"],
            name="fk_mail_changes_practitioner_practitioners",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("practitioner", name="pk_mail_changes"),
        sa.UniqueConstraint("old_token", name="uq_mail_changes_old_token"),
        sa.UniqueConstraint("new_token", name="uq_mail_changes_new_token"),
    )
    op.create_index("ix_mail_changes_created", "mail_changes", ["created"])


def downgrade() -> None:
    """Undo: links that were mailed confirm nothing."""
    op.drop_table("mail_changes")
