"""By which mail servers organisations send."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

KEPT = sa.text("state = 'kept'")
MARKED = sa.text("state = 'destroying'")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "mail_servers",
        sa.Column("id", sa.String(22), nullable=False),
        sa.Column(
            "owner",
            sa.String(22),
            nullable=False,
            comment="no foreign key: who closes may not know this table",
        ),
        sa.Column("state", sa.String(10), nullable=False, comment="kept, destroying"),
        sa.Column(
            "content",
            sa.LargeBinary(),
            nullable=False,
            comment="sealed: host, port, security, user, password, sender, since when",
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_mail_servers"),
    )
    op.create_index("ix_mail_servers_owner", "mail_servers", ["owner"])
    op.create_index("ix_mail_servers_marked", "mail_servers", ["id"], sqlite_where=MARKED, postgresql_where=MARKED)
    op.create_index(
        "ix_mail_servers_one", "mail_servers", ["owner"], unique=True, sqlite_where=KEPT, postgresql_where=KEPT
    )


def downgrade() -> None:
    """Undo: all mail goes by the operator's, and the server forgets the keys of these a week after its next start."""
    op.drop_table("mail_servers")
