"""By which addresses calendars read when somebody is busy.

Undone: addresses that were given out open nothing.
"""

import sqlalchemy as sa

from vault.database.migrations.sealed import SealedTable

revision = "0027"
down_revision = "0026"

TABLE = SealedTable(
    "feeds",
    "token, since when",
    (sa.Column("token", sa.LargeBinary(32), nullable=False, comment="hash of what the feed's address holds"),),
    unique=("token",),
)
upgrade, downgrade = TABLE.make_one, TABLE.drop
