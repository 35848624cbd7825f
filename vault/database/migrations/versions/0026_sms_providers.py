"""By which SMS providers organisations send.

Undone: no text messages are sent.
"""

from vault.database.migrations.sealed import SealedTable

revision = "0026"
down_revision = "0022"

TABLE = SealedTable("sms_providers", "format, url, secret, sender, since when")
upgrade = TABLE.make_one
downgrade = TABLE.drop
