"""The table of what is counted. Numbers of an organisation a day: there is nothing to seal."""

from sqlalchemy import Column, Date, ForeignKey, Index, Integer, String, Table

from vault.database.tables import metadata

statistics = Table(
    "statistics",
    metadata,
    Column("organisation", ForeignKey("organisations.id", ondelete="CASCADE"), primary_key=True),
    Column("day", Date, primary_key=True, comment="in the practice's zone"),
    Column("what", String(16), primary_key=True, comment="a word of our own"),
    Column("number", Integer, nullable=False),
    Index(None, "day"),
)
