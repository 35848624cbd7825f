"""What practitioners plan often.

Undone: nobody's presets are left.
"""

from vault.database.migrations.sealed import SealedTable

revision = "0024"
down_revision = "0027"

TABLE = SealedTable("presets", "names, minutes, languages")
upgrade, downgrade = TABLE.make, TABLE.drop
