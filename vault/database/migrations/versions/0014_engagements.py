"""Which assistants work for which practitioners.

Undone: assistants work for nobody.
"""

import sqlalchemy as sa
from alembic import op

from vault.database.migrations.sealed import SealedTable

revision = "0014"
down_revision = "0013"

TABLE = SealedTable(
    "engagements",
    "account, label",
    (sa.Column("account", sa.String(22), nullable=False, comment="who works; no foreign key, as of the owner"),),
)


def upgrade() -> None:
    """Apply."""
    TABLE.make()
    op.create_index("ix_engagements_account", "engagements", ["account"])
    TABLE.keep_one("pair", "owner", "account")


downgrade = TABLE.drop
