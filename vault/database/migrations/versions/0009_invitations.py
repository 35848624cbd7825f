"""Who is invited to become a member of an organisation.

Undone: links that were mailed open nothing.
"""

import sqlalchemy as sa

from vault.database.migrations.sealed import SealedTable

revision = "0009"
down_revision = "0008"

TABLE = SealedTable(
    "invitations",
    "address, roles, language, by whom, when, until when, token",
    (
        sa.Column("token", sa.LargeBinary(32), nullable=False, comment="keyed hash of the link's token"),
        sa.Column("mail", sa.LargeBinary(32), nullable=False, comment="HMAC of the canonical address"),
        sa.Column("until", sa.BigInteger(), nullable=False, comment="seconds since the Unix epoch"),
    ),
    unique=("token",),
)


def upgrade() -> None:
    """Apply."""
    TABLE.make()
    TABLE.keep_one("mail", "owner", "mail")


downgrade = TABLE.drop
