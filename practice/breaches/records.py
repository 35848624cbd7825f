"""What is inside the sealed column of a breach, and its table."""

from typing import Any, Final

from sqlalchemy import BigInteger, Column

from practice.breaches.model import RISKS, Breach, Facts
from vault.errors import Unreadable
from vault.records.content import Layout, known, moment, number, stamp
from vault.records.records import Sealed, kept_table

breaches = kept_table(
    "breaches",
    "what happened, when it was found, how many people, the risk, what was done, who was told, who entered it",
    Column(
        "due", BigInteger, nullable=False, comment="until when the authority is told, in seconds since the Unix epoch"
    ),
    Column("settled", BigInteger, nullable=False, comment="1 where it was told, or need not be"),
)

TEXTS: Final = ("what", "measures", "late", "untold", "words")
MOMENTS: Final = ("found", "told", "concerned")
BREACH = Sealed("breaches", Layout(frozenset((*TEXTS, *MOMENTS, "people", "risk", "by", "entered"))))


def seal_breach(key: bytes, one: Breach) -> dict[str, Any]:
    """The row of a breach."""
    facts = one.facts
    content = {name: getattr(facts, name) for name in TEXTS}
    content |= {name: stamp(getattr(facts, name)) for name in MOMENTS}
    content |= {"people": facts.people, "risk": facts.risk, "by": one.by, "entered": stamp(one.entered)}
    return BREACH.row(key, one, content, due=int(one.due.timestamp()), settled=int(one.settled))


def open_breach(key: bytes, row: Any) -> Breach:
    """The breach in a row. Errors: Unreadable, Newer (also for a risk that only a newer program knows)."""
    content, unknown = BREACH.open(key, row)
    known(content["risk"], RISKS)
    try:
        said = {name: content[name] for name in (*TEXTS, "risk")}
        said |= {name: moment(content[name]) for name in MOMENTS}
        people = None if content["people"] is None else number(content["people"])
        entered, facts = moment(content["entered"]), Facts(**said, people=people)
        if entered is None:
            raise Unreadable
        made = Breach(row.id, row.owner, content["by"], entered, facts, number(row.version), unknown)
        if (int(made.due.timestamp()), int(made.settled)) != (row.due, row.settled):
            raise Unreadable
    except (AttributeError, TypeError, ValueError):
        raise Unreadable from None
    return made


BREACHES = BREACH.kind(breaches, open_breach, seal_breach)
