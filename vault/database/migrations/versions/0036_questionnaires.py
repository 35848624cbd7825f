"""What practitioners ask before consults.

Undone: nobody's questionnaires are left; what was chosen and answered stands in appointments.
"""

from vault.database.migrations.sealed import SealedTable

revision = "0036"
down_revision = "0035"

TABLE = SealedTable("questionnaires", "names, questions")
upgrade, downgrade = TABLE.make, TABLE.drop
