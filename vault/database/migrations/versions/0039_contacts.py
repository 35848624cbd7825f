"""Whom somebody called or wrote to, and why.

Undone: nobody reads any more that they were called; the trail keeps that it was logged.
"""

import sqlalchemy as sa
from alembic import op

from vault.database.migrations.sealed import NO_FOREIGN_KEY, SealedTable

revision = "0039"
down_revision = "0038"

TABLE = SealedTable(
    "contacts",
    "in which organisation, by whom, by which way, why, note, when",
    (
        sa.Column("organisation", sa.String(22), nullable=False, comment=NO_FOREIGN_KEY),
        sa.Column("until", sa.BigInteger(), nullable=False, comment="when it dies, in seconds since the Unix epoch"),
    ),
)


def upgrade() -> None:
    """Apply."""
    TABLE.make()
    op.create_index("ix_contacts_until", "contacts", ["until"])


downgrade = TABLE.drop
