"""Parts of an organisation.

Undone: who administers a department looks after nobody.
"""

from vault.database.migrations.sealed import SealedTable

revision = "0018"
down_revision = "0017"

TABLE = SealedTable("departments", "name")
upgrade, downgrade = TABLE.make, TABLE.drop
