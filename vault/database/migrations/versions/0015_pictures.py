"""Logos of organisations and photographs of accounts.

Undone: the pictures are lost.
"""

from vault.database.migrations.sealed import SealedTable

revision = "0015"
down_revision = "0014"

TABLE = SealedTable("pictures", "use, data, shown")
upgrade, downgrade = TABLE.make, TABLE.drop
