"""Sight of one practitioner's agenda: who asked for it, who gave it, when it was used.

Undone: nobody reads any more who had sight of an agenda; the trail keeps it.
"""

import sqlalchemy as sa
from alembic import op

from vault.database.migrations.sealed import NO_FOREIGN_KEY, SealedTable

revision = "0017"
down_revision = "0016"

TABLE = SealedTable(
    "sights",
    "whose agenda, who asked, why, who gave it, when, who ended it, when it was used, whether it was read",
    (
        sa.Column("account", sa.String(22), nullable=False, comment=NO_FOREIGN_KEY),
        sa.Column("until", sa.BigInteger(), nullable=False, comment="when it dies, in seconds since the Unix epoch"),
    ),
)


def upgrade() -> None:
    """Apply."""
    TABLE.make()
    op.create_index("ix_sights_account", "sights", ["account"])


downgrade = TABLE.drop
