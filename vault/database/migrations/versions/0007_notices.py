"""Mail about an account that is still to be sent.

Undone: mail that was not sent is lost.
"""

import sqlalchemy as sa

from vault.database.migrations.sealed import SealedTable

revision = "0007"
down_revision = "0006"

TABLE = SealedTable(
    "notices",
    "which text, to whom, values, tries",
    (sa.Column("written", sa.BigInteger(), nullable=False, comment="milliseconds since the Unix epoch"),),
)
upgrade, downgrade = TABLE.make, TABLE.drop
