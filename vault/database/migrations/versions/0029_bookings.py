"""What practitioners offer for self-booking, and who holds a time of it for ten minutes.

Undone: nobody offers anything, and addresses that were given out lead nowhere.
"""

import sqlalchemy as sa

from vault.database.migrations.sealed import SealedTable

revision = "0029"
down_revision = "0024"


def token() -> sa.Column[bytes]:
    return sa.Column("token", sa.LargeBinary(32), nullable=False, comment="hash of what its page's address holds")


AVAILABILITIES = SealedTable(
    "availabilities", "address, hours, exceptions, length, origins that show it", (token(),), ("token",)
)
HOLDS = SealedTable("holds", "who wants which time, address, network", (token(),), ("token",))


def upgrade() -> None:
    AVAILABILITIES.make_one()
    HOLDS.make()


def downgrade() -> None:
    HOLDS.drop()
    AVAILABILITIES.drop()
