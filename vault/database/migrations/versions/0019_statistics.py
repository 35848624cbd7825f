"""How much an organisation does, in numbers a day."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "statistics",
        sa.Column("organisation", sa.String(22), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="in the practice's zone"),
        sa.Column("what", sa.String(16), nullable=False, comment="a word of our own"),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation"],
            ["organisations.id"],
            name="fk_statistics_organisation_organisations",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organisation", "day", "what", name="pk_statistics"),
    )
    op.create_index("ix_statistics_day", "statistics", ["day"])


def downgrade() -> None:
    """Undo: what was counted is forgotten."""
    op.drop_table("statistics")
