"""Masked pictures of papers, until somebody has seen them.

Undone: those that nobody has seen are lost.
"""

import sqlalchemy as sa

from vault.database.migrations.sealed import SealedTable

revision = "0037"
down_revision = "0036"

TABLE = SealedTable(
    "identity_papers",
    "which request, a masked picture, when it came",
    (
        sa.Column("request", sa.String(22), nullable=False, comment="which request it came with"),
        sa.Column("until", sa.BigInteger(), nullable=False, comment="when it dies, in seconds since the Unix epoch"),
    ),
)


def upgrade() -> None:
    """Apply."""
    TABLE.make()
    TABLE.keep_one("once", "request")


downgrade = TABLE.drop
