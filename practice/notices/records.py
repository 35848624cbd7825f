"""What is inside the sealed column of a notice, and its table."""

from datetime import UTC, datetime
from typing import Any, get_args

from sqlalchemy import BigInteger, Column

from practice.accounts.model import Language
from practice.notices.model import News, Notice, Word
from vault.errors import Unreadable
from vault.keys.envelope import Place
from vault.records.content import Layout, known, number, open_content, seal_content, stamp
from vault.records.records import Kind, kept_table

notices = kept_table(
    "notices",
    "which text, to whom, values, tries",
    Column("written", BigInteger, nullable=False, comment="milliseconds since the Unix epoch"),
)

LAYOUT = Layout(frozenset(("word", "to", "language", "values", "tries", "again")))


def place(row_id: str, owner: str) -> Place:
    """Where a notice's content stands."""
    return Place("notices", "content", row_id, owner)


def milliseconds(at: datetime) -> int:
    """Since the Unix epoch."""
    return int(at.timestamp() * 1000)


def seal_notice(key: bytes, notice: Notice) -> dict[str, Any]:
    """The row of a notice."""
    news = notice.news
    content = {
        "word": news.word,
        "to": news.to,
        "language": news.language,
        "values": dict(news.values),
        "tries": notice.tries,
        "again": stamp(notice.again),
    }
    return {
        "id": notice.id,
        "owner": notice.owner,
        "state": "kept",
        "written": milliseconds(notice.written),
        "content": seal_content(key, LAYOUT, content, place(notice.id, notice.owner), notice.unknown),
        "version": notice.version,
    }


def open_notice(key: bytes, row: Any) -> Notice:
    """The notice in a row. Errors: Unreadable, Newer."""
    content, unknown = open_content(key, LAYOUT, row.content, place(row.id, row.owner))
    word, language = known(content["word"], get_args(Word)), known(content["language"], get_args(Language))
    try:
        news = News(word, content["to"], language, content["values"])
        written = datetime.fromtimestamp(number(row.written) / 1000, UTC)
        again, tries = datetime.fromisoformat(content["again"]), number(content["tries"])
        return Notice(row.id, row.owner, news, written, tries, again, number(row.version), unknown)
    except (OverflowError, TypeError, ValueError):
        raise Unreadable from None


NOTICES = Kind(
    name="notices",
    table=notices,
    layout=LAYOUT,
    place=place,
    open=open_notice,
    seal=seal_notice,
    timed=False,
    kept=False,
)
