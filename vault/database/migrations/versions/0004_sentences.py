"""What practitioners say to whoever waits.

Undone: the sentences are lost.
"""

from vault.database.migrations.sealed import SealedTable

revision = "0004"
down_revision = "0003"

TABLE = SealedTable("sentences", "language, text")
upgrade, downgrade = TABLE.make, TABLE.drop
