"""What is inside the sealed column of a sentence, and its table."""

from typing import Any, get_args

from practice.accounts.model import Language
from practice.sentences.model import Sentence
from vault.errors import Unreadable
from vault.keys.envelope import Place
from vault.records.content import Layout, known, number, open_content, seal_content
from vault.records.records import Kind, kept_row, kept_table

sentences = kept_table("sentences", "language, text")

LAYOUT = Layout(frozenset(("language", "text")))


def place(row_id: str, owner: str) -> Place:
    """Where a sentence's content stands."""
    return Place("sentences", "content", row_id, owner)


def seal_sentence(key: bytes, sentence: Sentence) -> dict[str, Any]:
    """The row of a sentence."""
    content = {"language": sentence.language, "text": sentence.text}
    return kept_row(sentence, seal_content(key, LAYOUT, content, place(sentence.id, sentence.owner), sentence.unknown))


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
    export=lambda sentence: {"language": sentence.language, "text": sentence.text},
)
