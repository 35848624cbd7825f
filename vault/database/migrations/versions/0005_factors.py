"""The second factor of accounts, and how strongly a session was begun."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MARKED = sa.text("state = 'destroying'")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "factors",
        sa.Column("id", sa.String(22), nullable=False),
        sa.Column(
            "owner",
            sa.String(22),
            nullable=False,
            comment="no foreign key: who closes may not know this table",
        ),
        sa.Column("state", sa.String(10), nullable=False, comment="kept, destroying"),
        sa.Column(
            "content", sa.LargeBinary(), nullable=False, comment="sealed: secret, last step, recovery codes, passkeys"
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_factors"),
    )
    op.create_index("ix_factors_owner", "factors", ["owner"])
    op.create_index("ix_factors_marked", "factors", ["id"], sqlite_where=MARKED, postgresql_where=MARKED)
    op.add_column(
        "sessions", sa.Column("strength", sa.LargeBinary(32), comment="keyed hash of the token and how it was begun")
    )


def downgrade() -> None:
    """Undo: second factors are lost, and the server forgets their keys a week after its next start."""
    op.drop_column("sessions", "strength")
    op.drop_table("factors")
