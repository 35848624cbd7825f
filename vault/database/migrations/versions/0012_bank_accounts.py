"""Bank accounts of accounts.

Undone: the numbers are lost.
"""

from vault.database.migrations.sealed import SealedTable

revision = "0012"
down_revision = "0011"

TABLE = SealedTable("bank_accounts", "IBAN")
upgrade, downgrade = TABLE.make, TABLE.drop
