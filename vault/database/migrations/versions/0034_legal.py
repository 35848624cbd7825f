"""What a law demanded: who may do it, by two, and what was done.

Undone: nobody reads any more what was demanded; the trail keeps it, and what is preserved stays so until its end.
"""

import sqlalchemy as sa
from alembic import op

from vault.database.migrations.sealed import NO_FOREIGN_KEY, SealedTable

revision = "0034"
down_revision = "0033"

OPERATORS = SealedTable("operators", "name, secret of their app, last step, since when")
DISCLOSURES = SealedTable(
    "disclosures",
    "whose, what, who demanded it, why, who did it, when, of how many, until when, from when it may be known",
    (
        sa.Column("account", sa.String(22), nullable=False, comment=NO_FOREIGN_KEY),
        sa.Column("until", sa.BigInteger(), nullable=False, comment="when it dies, in seconds since the Unix epoch"),
    ),
)


def upgrade() -> None:
    """Apply."""
    OPERATORS.make()
    DISCLOSURES.make()
    op.create_index("ix_disclosures_account", "disclosures", ["account"])


def downgrade() -> None:
    """Undo."""
    DISCLOSURES.drop()
    OPERATORS.drop()
