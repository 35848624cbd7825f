"""What organisations decide for their practitioners.

Undone: nothing is decided any more.
"""

from vault.database.migrations.sealed import SealedTable

revision = "0013"
down_revision = "0012"

TABLE = SealedTable("policies", "longest retention, by whom, since when, what is barred")
upgrade, downgrade = TABLE.make_one, TABLE.drop
