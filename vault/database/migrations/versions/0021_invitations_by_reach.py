"""An address may be invited twice: by two people of whom neither sees the other's invitation.

Undone: of several for one address only the newest stays.
"""

import sqlalchemy as sa
from alembic import op

from vault.database.migrations.sealed import KEPT

revision = "0021"
down_revision = "0019"

INDEX = "ix_invitations_mail"
OLDER = sa.text(
    "DELETE FROM invitations WHERE state = 'kept' AND EXISTS (SELECT 1 FROM invitations AS newer WHERE"
    " newer.state = 'kept' AND newer.owner = invitations.owner AND newer.mail = invitations.mail"
    " AND (newer.until > invitations.until OR (newer.until = invitations.until AND newer.id > invitations.id)))"
)


def upgrade() -> None:
    """Apply."""
    op.drop_index(INDEX, "invitations")
    op.create_index(INDEX, "invitations", ["owner", "mail"], sqlite_where=KEPT, postgresql_where=KEPT)


def downgrade() -> None:
    """Undo."""
    op.execute(OLDER)
    op.drop_index(INDEX, "invitations")
    op.create_index(INDEX, "invitations", ["owner", "mail"], unique=True, sqlite_where=KEPT, postgresql_where=KEPT)
