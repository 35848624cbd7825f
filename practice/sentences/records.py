"""What is inside the sealed column of a sentence, and its table."""

from typing import Any, get_args

from practice.accounts.model import Language
from practice.sentences.model import Sentence
from vault.errors import Unreadable
from vault.records.content import Layout, known, number
from vault.records.records import Sealed, kept_table

sentences = kept_table("sentences", "language, text")

SENTENCE = Sealed("sentences", Layout(frozenset(("language", "text"))))


def seal_sentence(key: bytes, sentence: Sentence) -> dict[str, Any]:
    """The row of a sentence."""
    content = {"language": sentence.language, "text": sentence.text}
    return SENTENCE.row(key, sentence, content)


def open_sentence(key: bytes, row: Any) -> Sentence:
    """The sentence in a row. Errors: Unreadable, Newer."""
    content, unknown = SENTENCE.open(key, row)
    language = known(content["language"], get_args(Language))
    try:
        return Sentence(row.id, row.owner, language, content["text"], number(row.version), unknown)
    except ValueError:
        raise Unreadable from None


SENTENCES = SENTENCE.kind(
    sentences,
    open_sentence,
    seal_sentence,
    export=lambda sentence: {"language": sentence.language, "text": sentence.text},
)
