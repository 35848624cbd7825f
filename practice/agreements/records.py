"""What is inside the sealed columns of documents and acceptances, and their tables."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, get_args

from practice.accounts.model import Language
from practice.agreements.model import DOCUMENTS, Acceptance, Document
from vault.errors import Unreadable
from vault.records.content import Layout, known, number
from vault.records.records import Sealed, kept_table

documents = kept_table("documents", "which document, hash of its texts, since when, texts")
acceptances = kept_table("acceptances", "which document, which version, since when it stood there, when accepted")

DOCUMENT = Sealed("documents", Layout(frozenset(("document", "mark", "since", "texts"))))
ACCEPTANCE = Sealed("acceptances", Layout(frozenset(("document", "mark", "since", "at"))))


def seal_document(key: bytes, one: Document) -> dict[str, Any]:
    """The row of a document."""
    said = {"document": one.name, "mark": one.mark, "since": one.since.isoformat(), "texts": dict(one.texts)}
    return DOCUMENT.row(key, one, said)


def open_document(key: bytes, row: Any) -> Document:
    """The document in a row. Errors: Unreadable, Newer."""
    said, unknown = DOCUMENT.open(key, row)
    known(said["document"], DOCUMENTS)
    try:
        texts = {language: str(said["texts"][language]) for language in get_args(Language)}
        since, version = datetime.fromisoformat(said["since"]), number(row.version)
        return Document(row.id, row.owner, said["document"], said["mark"], since, texts, version, unknown)
    except (LookupError, TypeError, ValueError):
        raise Unreadable from None


def seal_acceptance(key: bytes, one: Acceptance) -> dict[str, Any]:
    """The row of an acceptance."""
    return ACCEPTANCE.row(key, one, export_acceptance(one))


def open_acceptance(key: bytes, row: Any) -> Acceptance:
    """The acceptance in a row. Errors: Unreadable, Newer."""
    said, unknown = ACCEPTANCE.open(key, row)
    known(said["document"], DOCUMENTS)
    try:
        since, at = datetime.fromisoformat(said["since"]), datetime.fromisoformat(said["at"])
        return Acceptance(row.id, row.owner, said["document"], said["mark"], since, at, number(row.version), unknown)
    except (TypeError, ValueError):
        raise Unreadable from None


def export_acceptance(one: Acceptance) -> Mapping[str, Any]:
    """All of it."""
    return {"document": one.name, "mark": one.mark, "since": one.since.isoformat(), "at": one.at.isoformat()}


DOCUMENT_VERSIONS = DOCUMENT.kind(documents, open_document, seal_document)
ACCEPTANCES = ACCEPTANCE.kind(acceptances, open_acceptance, seal_acceptance, export=export_acceptance)
