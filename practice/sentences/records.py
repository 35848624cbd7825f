"""What is inside the sealed column of a sentence, and its table."""

from typing import Any, get_args

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, text

from practice.accounts.model import Language
from practice.sentences.model import Sentence
from vault.database.tables import metadata
from vault.errors import Unreadable
from vault.keys.envelope import Place
from vault.records.content import Layout, known, number, open_content, seal_content
from vault.records.records import Kind

# Its owner is no foreign key: a server of the first release deletes the row of an account that it closes, and knows no
# row here. Ours finds what such a one left by its owner, at its start.
sentences = Table(
    "sentences",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("owner", String(22), nullable=False, comment="no foreign key: who closes may not know this table"),
    Column("state", String(10), nullable=False, comment="kept, destroying"),
    Column("content", LargeBinary, nullable=False, comment="sealed: language, text"),
    Column("version", Integer, nullable=False),
    Index(None, "owner"),
    Index(
        "ix_sentences_marked",
        "id",
        sqlite_where=text("state = 'destroying'"),
        postgresql_where=text("state = 'destroying'"),
    ),
)

LAYOUT = Layout(frozenset(("language", "text")))


def place(row_id: str, owner: str) -> Place:
    """Where a sentence's content stands."""
    return Place("sentences", "content", row_id, owner)


def seal_sentence(key: bytes, sentence: Sentence) -> dict[str, Any]:
    """The row of a sentence."""
    content = {"language": sentence.language, "text": sentence.text}
    return {
        "id": sentence.id,
        "owner": sentence.owner,
        "state": "kept",
        "content": seal_content(key, LAYOUT, content, place(sentence.id, sentence.owner), sentence.unknown),
        "version": sentence.version,
    }


def open_sentence(key: bytes, row: Any) -> Sentence:
    """The sentence in a row. Errors: Unreadable, Newer."""
    content, unknown = open_content(key, LAYOUT, row.content, place(row.id, row.owner))
    language = known(content["language"], get_args(Language))
    try:
        return Sentence(row.id, row.owner, language, content["text"], number(row.version), unknown)
    except ValueError:
        raise Unreadable from None


SENTENCES = Kind(
    name="sentences",
    table=sentences,
    layout=LAYOUT,
    place=place,
    open=open_sentence,
    seal=seal_sentence,
    timed=False,
    kept=False,
)
