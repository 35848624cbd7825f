"""The second factor of accounts, and how strongly a session was begun.

Undone: second factors are lost.
"""

import sqlalchemy as sa
from alembic import op

from vault.database.migrations.sealed import SealedTable

revision = "0005"
down_revision = "0004"

TABLE = SealedTable("factors", "secret, last step, recovery codes, passkeys")


def upgrade() -> None:
    """Apply."""
    TABLE.make()
    op.add_column(
        "sessions", sa.Column("strength", sa.LargeBinary(32), comment="keyed hash of the token and how it was begun")
    )


def downgrade() -> None:
    """Undo."""
    op.drop_column("sessions", "strength")
    TABLE.drop()
