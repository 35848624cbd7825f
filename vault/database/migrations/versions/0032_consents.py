"""What people are asked to agree to before they are received, and texts that a practice wrote itself.

Undone: nothing is asked any more; what was agreed to stands in appointments.
"""

from vault.database.migrations.sealed import SealedTable

revision = "0032"
down_revision = "0031"

TABLE = SealedTable("consents", "what is asked, texts of one's own")
upgrade, downgrade = TABLE.make_one, TABLE.drop
