"""What patients are told of appointments."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0020"

QUEUED = sa.text("state = 'queued'")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "dispatches",
        sa.Column("id", sa.String(22), nullable=False),
        sa.Column("appointment", sa.String(22), nullable=False),
        sa.Column("state", sa.String(10), nullable=False, comment="queued, sent, opened, refused, late, void"),
        sa.Column("written", sa.BigInteger(), nullable=False, comment="milliseconds since the Unix epoch"),
        sa.Column(
            "from_day",
            sa.Date(),
            nullable=False,
            comment="UTC day from which it is tried; the moment is inside content",
        ),
        sa.Column(
            "content", sa.LargeBinary(), nullable=False, comment="sealed: which text, what was told, tries, result"
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["appointment"],
            ["appointments.id"],
            name="fk_dispatches_appointment_appointments",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_dispatches"),
    )
    op.create_index("ix_dispatches_appointment", "dispatches", ["appointment"])
    op.create_index(
        "ix_dispatches_queued",
        "dispatches",
        ["from_day", "written"],
        sqlite_where=QUEUED,
        postgresql_where=QUEUED,
    )


def downgrade() -> None:
    """Undo: patients are not told what was still to be sent, and nobody sees what they were told."""
    op.drop_table("dispatches")
