"""What organisations write to their people, and who wants the newsletter.

Undone: nobody has the newsletter any more, and what was written is lost.
"""

import sqlalchemy as sa
from alembic import op

from vault.database.migrations.sealed import NO_FOREIGN_KEY, SealedTable

revision = "0031"
down_revision = "0030"

SUBSCRIPTIONS = SealedTable(
    "subscriptions",
    "whose newsletter, which text was agreed to, when asked, given, withdrawn, until which letter, link",
    (
        sa.Column("organisation", sa.String(22), nullable=False, comment=NO_FOREIGN_KEY),
        sa.Column("token", sa.LargeBinary(32), nullable=False, comment="keyed hash of the link's token"),
    ),
    ("token",),
)
CIRCULARS = SealedTable(
    "circulars", "what for, about what, subject, text, language, by whom, when, how many it reached"
)


def upgrade() -> None:
    """Apply."""
    SUBSCRIPTIONS.make()
    op.create_index("ix_subscriptions_organisation", "subscriptions", ["organisation"])
    CIRCULARS.make()


def downgrade() -> None:
    """Undo."""
    CIRCULARS.drop()
    SUBSCRIPTIONS.drop()
