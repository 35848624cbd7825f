"""Versions of what people agree to, and who agreed to which.

Undone: everybody is asked again, and what older versions said is lost.
"""

from vault.database.migrations.sealed import SealedTable

revision = "0033"
down_revision = "0032"

DOCUMENTS = SealedTable("documents", "which document, hash of its texts, since when, texts")
ACCEPTANCES = SealedTable("acceptances", "which document, which version, since when it stood there, when accepted")


def upgrade() -> None:
    """Apply."""
    DOCUMENTS.make()
    ACCEPTANCES.make()


def downgrade() -> None:
    """Undo."""
    ACCEPTANCES.drop()
    DOCUMENTS.drop()
