"""Since when an account keeps everything by hand, and when its owner was reminded.

Undone: the year counts anew.
"""

from vault.database.migrations.sealed import SealedTable

revision = "0035"
down_revision = "0034"

TABLE = SealedTable("manual_spans", "since when retention is manual, when its owner was reminded")

upgrade = TABLE.make_one
downgrade = TABLE.drop
