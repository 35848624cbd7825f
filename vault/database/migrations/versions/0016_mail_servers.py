"""By which mail servers organisations send.

Undone: all mail goes by the operator's.
"""

from vault.database.migrations.sealed import SealedTable

revision = "0016"
down_revision = "0015"

TABLE = SealedTable("mail_servers", "host, port, security, user, password, sender, since when")
upgrade, downgrade = TABLE.make_one, TABLE.drop
