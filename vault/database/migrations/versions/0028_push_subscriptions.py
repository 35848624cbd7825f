"""Which browsers are told that somebody waits.

Undone: none is, until it asks again.
"""

import sqlalchemy as sa

from vault.database.migrations.sealed import SealedTable

revision = "0028"
down_revision = "0029"

TABLE = SealedTable(
    "push_subscriptions",
    "endpoint, session, renewed",
    (
        sa.Column("endpoint", sa.LargeBinary(32), nullable=False, comment="hash of the endpoint"),
        sa.Column("renewed", sa.Integer(), nullable=False, comment="seconds since the Unix epoch"),
    ),
)


def upgrade() -> None:
    """The table, in which a browser is one account's."""
    TABLE.make()
    TABLE.keep_one("one", "endpoint")


downgrade = TABLE.drop
