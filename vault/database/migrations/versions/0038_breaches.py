"""The register of breaches of personal data.

Undone: the register is lost; print it before.
"""

import sqlalchemy as sa

from vault.database.migrations.sealed import SealedTable

revision = "0038"
down_revision = "0037"

SEALED = "what happened, when it was found, how many people, the risk, what was done, who was told, who entered it"
TABLE = SealedTable(
    "breaches",
    SEALED,
    (
        sa.Column(
            "due",
            sa.BigInteger(),
            nullable=False,
            comment="until when the authority is told, in seconds since the Unix epoch",
        ),
        sa.Column("settled", sa.BigInteger(), nullable=False, comment="1 where it was told, or need not be"),
    ),
)

upgrade = TABLE.make
downgrade = TABLE.drop
