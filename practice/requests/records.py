"""What is inside the sealed column of a request, and its table."""

from datetime import UTC, datetime
from typing import Any, Final, get_args

from sqlalchemy import BigInteger, Column, Index, LargeBinary

from practice.accounts.model import Language
from practice.requests.model import Ending, Proof, Request, Way, What
from practice.requests.purposes import Purpose
from vault.errors import Unreadable
from vault.records.content import Layout, known, moment, number, stamp
from vault.records.records import Sealed, kept_table

requests = kept_table(
    "requests",
    "what is asked, by whom, where they are answered, question, reply, extension, answer, when each was, who decided",
    Column("subject", LargeBinary(32), nullable=False, comment="keyed hash of who asks"),
    Column("token", LargeBinary(32), nullable=False, comment="keyed hash of what the link to it holds"),
    Column("asked", BigInteger, nullable=False, comment="seconds since the Unix epoch"),
    Column("due", BigInteger, nullable=False, comment="from when an answer is late, in seconds since the Unix epoch"),
    Column("decided", BigInteger, nullable=True, comment="when it was answered, in seconds since the Unix epoch"),
    Column("until", BigInteger, nullable=True, comment="when it dies, in seconds since the Unix epoch"),
)
Index(None, requests.c.subject)
Index(None, requests.c.token)

WORDS: Final = {
    "what": get_args(What),
    "way": get_args(Way),
    "language": get_args(Language),
    "proven": get_args(Proof),
    "purpose": (*get_args(Purpose), None),
    "outcome": (*get_args(Ending), None),
}
TEXTS: Final = (
    *("text", "mail", "zone", "subject", "token", "seed", "question", "reply", "extension", "answer"),
    *("account", "decider", "reminded"),
)
MOMENTS: Final = ("asked", "due", "questioned", "replied", "extension_sent", "decided")
NAMES: Final = (*WORDS, *TEXTS, *MOMENTS)
OF_MAIL: Final = ("enclosed", "cut")
"""What only a mail has."""

OF_REPORT: Final = "erased"
"""What only a report of a child's data has."""

REQUEST = Sealed("requests", Layout(frozenset(NAMES), optional=frozenset((*OF_MAIL, OF_REPORT))))


def seconds(at: datetime | None) -> int | None:
    """Since the Unix epoch."""
    return None if at is None else int(at.timestamp())


def seal_request(key: bytes, one: Request) -> dict[str, Any]:
    """The row of a request. What stands in clear stands inside too: a row turned over to another is nobody's."""
    content = {name: getattr(one, name) for name in (*WORDS, *TEXTS)}
    content |= {name: stamp(getattr(one, name)) for name in MOMENTS}
    of_mail = {"enclosed": -1 if one.enclosed is None else one.enclosed, "cut": one.cut}
    content |= of_mail if one.way == "mailbox" else dict.fromkeys(OF_MAIL)
    content[OF_REPORT] = stamp(one.erased)
    marks = {"subject": bytes.fromhex(one.subject), "token": bytes.fromhex(one.token)}
    times = {name: seconds(getattr(one, name)) for name in ("asked", "due", "decided", "until")}
    return REQUEST.row(key, one, content, **marks, **times)


def open_request(key: bytes, row: Any) -> Request:
    """The request in a row. Errors: Unreadable, Newer (also for a word that only a newer program knows)."""
    content, unknown = REQUEST.open(key, row)
    said = {name: known(content[name], words) for name, words in WORDS.items()}
    try:
        if (row.subject.hex(), row.token.hex()) != (content["subject"], content["token"]):
            raise Unreadable
        said |= {name: content[name] for name in TEXTS} | {name: moment(content[name]) for name in MOMENTS}
        said[OF_REPORT] = moment(content[OF_REPORT])
        number(said["reminded"])
        enclosed = number(0 if content["enclosed"] is None else content["enclosed"])
        said |= {"enclosed": None if enclosed < 0 else enclosed, "cut": content["cut"] is True}
        if said["asked"].astimezone(UTC) > said["due"].astimezone(UTC):
            raise Unreadable
        return Request(row.id, row.owner, **said, version=number(row.version), unknown=unknown)
    except (AttributeError, TypeError, ValueError):
        raise Unreadable from None


REQUESTS = REQUEST.kind(requests, open_request, seal_request)
