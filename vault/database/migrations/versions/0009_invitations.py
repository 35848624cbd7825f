"""Who is invited to become a member of an organisation."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

KEPT = sa.text("state = 'kept'")
MARKED = sa.text("state = 'destroying'")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "invitations",
        sa.Column("id", sa.String(22), nullable=False),
        sa.Column(
            "owner",
            sa.String(22),
            nullable=False,
            comment="no foreign key: who closes may not know this table",
        ),
        sa.Column("token", sa.LargeBinary(32), nullable=False, comment="keyed hash of the link's token"),
        sa.Column("mail", sa.LargeBinary(32), nullable=False, comment="HMAC of the canonical address"),
        sa.Column("until", sa.BigInteger(), nullable=False, comment="seconds since the Unix epoch"),
        sa.Column("state", sa.String(10), nullable=False, comment="kept, destroying"),
        sa.Column(
            "content",
            sa.LargeBinary(),
            nullable=False,
            comment="sealed: address, roles, language, by whom, when, until when, token",
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_invitations"),
        sa.UniqueConstraint("token", name="uq_invitations_token"),
    )
    op.create_index("ix_invitations_owner", "invitations", ["owner"])
    op.create_index("ix_invitations_marked", "invitations", ["id"], sqlite_where=MARKED, postgresql_where=MARKED)
    op.create_index(
        "ix_invitations_mail", "invitations", ["owner", "mail"], unique=True, sqlite_where=KEPT, postgresql_where=KEPT
    )


def downgrade() -> None:
    """Undo: links that were mailed open nothing, and the server forgets their keys a week after its next start."""
    op.drop_table("invitations")
