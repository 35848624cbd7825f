"""What is inside the sealed column of a masked paper, and its table."""

from base64 import b64decode, b64encode
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, Column, String

from practice.identity_papers.model import IdentityPaper
from vault.errors import Unreadable
from vault.records.content import Layout, moment, number, stamp
from vault.records.records import Sealed, kept_once, kept_table

KEPT: Final = timedelta(days=28)
"""At most, where nobody looks at it and nobody decides."""

identity_papers = kept_table(
    "identity_papers",
    "which request, a masked picture, when it came",
    Column("request", String(22), nullable=False, comment="which request it came with"),
    Column("until", BigInteger, nullable=False, comment="when it dies, in seconds since the Unix epoch"),
)
kept_once("ix_identity_papers_once", identity_papers.c.request)

PAPER = Sealed("identity_papers", Layout(frozenset(("request", "data", "sent"))))


def seal_paper(key: bytes, one: IdentityPaper) -> dict[str, Any]:
    """The row of a paper. Which request it is of stands inside too: a row turned over to another is nobody's."""
    content = {"request": one.request, "data": b64encode(one.data).decode(), "sent": stamp(one.sent)}
    return PAPER.row(key, one, content, request=one.request, until=int((one.sent + KEPT).timestamp()))


def open_paper(key: bytes, row: Any) -> IdentityPaper:
    """The paper in a row. Errors: Unreadable, Newer."""
    content, unknown = PAPER.open(key, row)
    if content["request"] != row.request:
        raise Unreadable
    try:
        data, sent = b64decode(content["data"], validate=True), moment(content["sent"])
        if sent is None or sent.tzinfo is None:
            raise Unreadable
        return IdentityPaper(row.id, row.owner, content["request"], data, sent, number(row.version), unknown)
    except (TypeError, ValueError):
        raise Unreadable from None


IDENTITY_PAPERS = PAPER.kind(identity_papers, open_paper, seal_paper)
