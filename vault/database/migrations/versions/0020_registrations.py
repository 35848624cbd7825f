"""Who registers by themselves: by which mail domains, by which link, and who waits to be let in.

Undone: links to register open nothing, domains take nobody, and who waits to be let in is deactivated.
"""

import sqlalchemy as sa
from alembic import op

from vault.database.migrations.sealed import ID, SealedTable

revision = "0020"
down_revision = "0021"

SECONDS = "seconds since the Unix epoch"
DOMAINS = SealedTable(
    "mail_domains",
    "name, role, whether each is let in by somebody",
    (sa.Column("domain", sa.LargeBinary(32), nullable=False, comment="HMAC of its name"),),
)


def upgrade() -> None:
    """Apply."""
    DOMAINS.make()
    DOMAINS.keep_one("one", "owner", "domain")
    op.create_index("ix_mail_domains_domain", "mail_domains", ["domain"])
    op.create_table(
        "registrations",
        sa.Column("token", sa.LargeBinary(32), nullable=False, comment="keyed hash of the link's token"),
        sa.Column("owner", sa.String(ID), nullable=False, comment="under whose key"),
        sa.Column("mail", sa.LargeBinary(32), nullable=False, comment="HMAC of the canonical address"),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="sealed: address, language"),
        sa.Column("created", sa.BigInteger(), nullable=False, comment=SECONDS),
        sa.ForeignKeyConstraint(
            ["owner"], ["organisations.id"], name="fk_registrations_owner_organisations", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token", name="pk_registrations"),
    )
    for column in ("owner", "mail", "created"):
        op.create_index(f"ix_registrations_{column}", "registrations", [column])
    asked = sa.Column("asked", sa.BigInteger(), comment=f"when who waits to be let in registered, in {SECONDS}")
    op.add_column("members", asked)
    op.create_index("ix_members_asked", "members", ["asked"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_members_asked", "members")
    op.drop_column("members", "asked")
    op.drop_table("registrations")
    DOMAINS.drop()
