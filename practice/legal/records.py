"""What is inside the sealed columns of operators and of what a law demanded, and their tables."""

from datetime import datetime, timedelta
from typing import Any, Final, get_args

from sqlalchemy import BigInteger, Column, Index, String

from practice.legal.model import Demand, Disclosure, Operator, What
from vault.errors import Unreadable
from vault.records.content import Layout, known, moment, number, stamp
from vault.records.records import Sealed, kept_table

KEPT: Final = timedelta(days=400)
"""So long a practitioner can read what a law demanded, from when they may know."""

operators = kept_table("operators", "name, secret of their app, last step, since when")

disclosures = kept_table(
    "disclosures",
    "whose, what, who demanded it, why, who did it, when, of how many, until when, from when it may be known",
    Column("account", String(22), nullable=False, comment="no foreign key: who closes may not know this table"),
    Column("until", BigInteger, nullable=False, comment="when it dies, in seconds since the Unix epoch"),
)
Index(None, disclosures.c.account)

OPERATOR = Sealed("operators", Layout(frozenset(("name", "secret", "step", "since"))))
DISCLOSURE = Sealed(
    "disclosures",
    Layout(
        frozenset(
            ("account", "what", "authority", "reason", "told", "silence", "operators", "at", "number", "end", "known")
        )
    ),
)


def seal_operator(key: bytes, one: Operator) -> dict[str, Any]:
    """The row of an operator."""
    content = {"name": one.name, "secret": one.secret, "step": one.step, "since": stamp(one.since)}
    return OPERATOR.row(key, one, content)


def open_operator(key: bytes, row: Any) -> Operator:
    """The operator in a row. Errors: Unreadable, Newer."""
    content, unknown = OPERATOR.open(key, row)
    try:
        step, since = number(content["step"]), datetime.fromisoformat(content["since"])
        return Operator(
            row.id, row.owner, content["name"], content["secret"], step, since, number(row.version), unknown
        )
    except (TypeError, ValueError):
        raise Unreadable from None


def seal_disclosure(key: bytes, one: Disclosure) -> dict[str, Any]:
    """The row of what was done. Whose it is of stands inside too: a row turned over to another one is nobody's."""
    demand = one.demand
    content = {
        "account": one.account,
        "what": one.what,
        "authority": demand.authority,
        "reason": demand.reason,
        "told": stamp(demand.told),
        "silence": demand.silence,
        "operators": list(one.operators),
        "at": stamp(one.at),
        "number": one.number,
        "end": stamp(one.until),
        "known": one.known,
    }
    until = int((max(one.at, demand.told or one.at) + KEPT).timestamp())
    return DISCLOSURE.row(key, one, content, account=one.account, until=until)


def open_disclosure(key: bytes, row: Any) -> Disclosure:
    """What was done, of a row. Errors: Unreadable, Newer."""
    content, unknown = DISCLOSURE.open(key, row)
    known(content["what"], get_args(What))
    if content["account"] != row.account:
        raise Unreadable
    try:
        demand = Demand(content["authority"], content["reason"], moment(content["told"]), content["silence"])
        return Disclosure(
            row.id,
            row.owner,
            row.account,
            content["what"],
            demand,
            tuple(content["operators"]),
            datetime.fromisoformat(content["at"]),
            number(content["number"]),
            moment(content["end"]),
            content["known"] is True,
            number(row.version),
            unknown,
        )
    except (TypeError, ValueError):
        raise Unreadable from None


OPERATORS = OPERATOR.kind(operators, open_operator, seal_operator)
DISCLOSURES = DISCLOSURE.kind(disclosures, open_disclosure, seal_disclosure)
