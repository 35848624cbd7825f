"""Baseline: practitioners, sessions, appointments, leases, marks."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "practitioners",
        sa.Column("id", sa.String(22), nullable=False),
        sa.Column("mail", sa.LargeBinary(32), nullable=False, comment="HMAC of the canonical address"),
        sa.Column(
            "profile", sa.LargeBinary(), nullable=False, comment="sealed: mail, display name, language, retention"
        ),
        sa.Column("password", sa.LargeBinary(), nullable=False, comment="sealed argon2id hash"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_practitioners"),
        sa.UniqueConstraint("mail", name="uq_practitioners_mail"),
    )
    op.create_table(
        "sessions",
        sa.Column("token", sa.LargeBinary(32), nullable=False, comment="SHA-256 of the token"),
        sa.Column("practitioner", sa.String(22), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False, comment="seconds since the Unix epoch"),
        sa.Column("used", sa.BigInteger(), nullable=False, comment="seconds since the Unix epoch"),
        sa.PrimaryKeyConstraint("token", name="pk_sessions"),
        sa.ForeignKeyConstraint(
            ["practitioner"], ["practitioners.id"], name="fk_sessions_practitioner", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_sessions_practitioner", "sessions", ["practitioner"])
    op.create_index("ix_sessions_used", "sessions", ["used"])
    op.create_table(
        "appointments",
        sa.Column("id", sa.String(22), nullable=False),
        sa.Column("owner", sa.String(22), nullable=False),
        sa.Column("state", sa.String(10), nullable=False, comment="planned, ended, destroying"),
        sa.Column("due_day", sa.Date(), comment="UTC day of destruction; the moment is inside content"),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="sealed: patient, times, link secret, due"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_appointments"),
        sa.ForeignKeyConstraint(["owner"], ["practitioners.id"], name="fk_appointments_owner"),
    )
    op.create_index("ix_appointments_owner", "appointments", ["owner"])
    op.create_index("ix_appointments_due_day", "appointments", ["due_day"])
    op.create_table(
        "leases",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("holder", sa.String(22), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False, comment="milliseconds since the Unix epoch"),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )
    op.create_table(
        "marks",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("value", sa.Text(), nullable=False, comment="pair id, key store generation, retention cap, clock"),
        sa.PrimaryKeyConstraint("name", name="pk_marks"),
    )
