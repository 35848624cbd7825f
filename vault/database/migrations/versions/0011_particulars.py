"""What people tell of themselves.

Undone: what people told is lost.
"""

from vault.database.migrations.sealed import SealedTable

revision = "0011"
down_revision = "0010"

TABLE = SealedTable("particulars", "gender, birth, address, phone, note")
upgrade, downgrade = TABLE.make, TABLE.drop
