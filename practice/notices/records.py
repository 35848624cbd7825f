"""What is inside the sealed column of a notice, and its table."""

from datetime import UTC, datetime
from typing import Any, get_args

from sqlalchemy import BigInteger, Column

from practice.accounts.model import Language
from practice.notices.model import News, Notice, Word
from vault.errors import Unreadable
from vault.records.content import Layout, known, number, stamp
from vault.records.records import Sealed, kept_table

notices = kept_table(
    "notices",
    "which text, to whom, values, tries",
    Column("written", BigInteger, nullable=False, comment="milliseconds since the Unix epoch"),
)

NOTICE = Sealed("notices", Layout(frozenset(("word", "to", "language", "values", "tries", "again"))))


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
    return NOTICE.row(key, notice, content, written=milliseconds(notice.written))


def open_notice(key: bytes, row: Any) -> Notice:
    """The notice in a row. Errors: Unreadable, Newer."""
    content, unknown = NOTICE.open(key, row)
    word, language = known(content["word"], get_args(Word)), known(content["language"], get_args(Language))
    try:
        news = News(word, content["to"], language, content["values"])
        written = datetime.fromtimestamp(number(row.written) / 1000, UTC)
        again, tries = datetime.fromisoformat(content["again"]), number(content["tries"])
        return Notice(row.id, row.owner, news, written, tries, again, number(row.version), unknown)
    except (OverflowError, TypeError, ValueError):
        raise Unreadable from None


NOTICES = NOTICE.kind(notices, open_notice, seal_notice)
