"""What people ask for by right, until thirty days after it was answered.

Undone: every request is lost, answered or not; see that none waits.
"""

import sqlalchemy as sa
from alembic import op

from vault.database.migrations.sealed import SealedTable

revision = "0030"
down_revision = "0028"

SINCE = "in seconds since the Unix epoch"
TABLE = SealedTable(
    "requests",
    "what is asked, by whom, where they are answered, question, reply, extension, answer, when each was, who decided",
    (
        sa.Column("subject", sa.LargeBinary(32), nullable=False, comment="keyed hash of who asks"),
        sa.Column("token", sa.LargeBinary(32), nullable=False, comment="keyed hash of what the link to it holds"),
        sa.Column("asked", sa.BigInteger(), nullable=False, comment="seconds since the Unix epoch"),
        sa.Column("due", sa.BigInteger(), nullable=False, comment=f"from when an answer is late, {SINCE}"),
        sa.Column("decided", sa.BigInteger(), nullable=True, comment=f"when it was answered, {SINCE}"),
        sa.Column("until", sa.BigInteger(), nullable=True, comment=f"when it dies, {SINCE}"),
    ),
)


def upgrade() -> None:
    """Apply."""
    TABLE.make()
    op.create_index("ix_requests_subject", "requests", ["subject"])
    op.create_index("ix_requests_token", "requests", ["token"])


downgrade = TABLE.drop
