"""The audit trail: a table that only grows, but for what was kept long enough."""

import sqlalchemy as sa
from alembic import op

from vault.keys.schema import split

revision = "0002"
down_revision = "0001"

SQLITE = """
CREATE TRIGGER audit_stands BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER audit_keeps BEFORE DELETE ON audit
WHEN OLD.number > (SELECT coalesce(max(CAST(value AS INTEGER)), 0) FROM marks WHERE name = 'audit-base')
BEGIN SELECT RAISE(ABORT, 'append only'); END;
"""
POSTGRESQL = """
CREATE FUNCTION audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.number <= (
            SELECT coalesce(max(split_part(value, ':', 1)::bigint), 0) FROM marks WHERE name = 'audit-base'
        ) THEN RETURN OLD; END IF;
    END IF;
    RAISE EXCEPTION 'append only';
END $$;

CREATE TRIGGER audit_keeps BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_guard();
"""
"""A guard against our own mistakes; who owns the database can take it away, which the chain then shows."""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False, comment="from 1, without gaps"),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="milliseconds since the Unix epoch"),
        sa.Column("actor", sa.String(16), nullable=False, comment="practitioner, patient, operator, support, server"),
        sa.Column("actor_name", sa.String(43), comment="pseudonym under a key that dies with the account"),
        sa.Column("act", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(16), comment="practitioner, appointment, receipt"),
        sa.Column(
            "subject_name", sa.String(43), comment="pseudonym under a key that dies with what it names; a receipt"
        ),
        sa.Column("detail", sa.String(32), comment="a word or number of our own"),
        sa.Column("chain", sa.LargeBinary(32), nullable=False, comment="HMAC over this entry and the link before"),
        sa.PrimaryKeyConstraint("number", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in split(SQLITE) if sqlite else POSTGRESQL.split("\n\n"):
        op.execute(statement)


def downgrade() -> None:
    """Undo."""
    op.drop_table("audit")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION audit_guard()")
