"""The database. Nothing that a person typed stands here in clear: sealed columns are ``LargeBinary``."""

from collections.abc import Callable
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Dialect,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Day(TypeDecorator[date]):
    """A day for the index; one that is none (SQLite keeps any text) must not keep its row or others from being read.

    The moment inside the sealed content counts.
    """

    impl = Date
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], date | None]:
        """As the database's own, None for what is no day."""
        inner = self.impl_instance.result_processor(dialect, coltype)

        def process(value: Any) -> date | None:
            try:
                found: date | None = value if inner is None else inner(value)
            except (TypeError, ValueError):
                return None
            return found

        return process


leases = Table(
    "leases",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("holder", String(22), nullable=False),
    Column("until", BigInteger, nullable=False, comment="milliseconds since the Unix epoch"),
)

marks = Table(
    "marks",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Text, nullable=False, comment="pair id, key store generation, retention cap, clock"),
)

audit = Table(
    "audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False, comment="from 1, without gaps"),
    Column("at", BigInteger, nullable=False, comment="milliseconds since the Unix epoch"),
    Column("actor", String(16), nullable=False, comment="practitioner, patient, operator, support, server"),
    Column("actor_name", String(43), comment="pseudonym under a key that dies with the account"),
    Column("act", String(32), nullable=False),
    Column("subject", String(16), comment="practitioner, appointment, receipt"),
    Column("subject_name", String(43), comment="pseudonym under a key that dies with what it names; a receipt"),
    Column("detail", String(32), comment="a word or number of our own"),
    Column("chain", LargeBinary(32), nullable=False, comment="HMAC over this entry and the link before"),
    Index(None, "at"),
)
