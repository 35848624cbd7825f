"""What is inside the sealed column of what somebody asks, and its table."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, get_args

from practice.accounts.model import Language
from practice.consents.model import ASKABLE, AskedConsents, ConsentWording
from vault.errors import Unreadable
from vault.records.content import Layout, known, number
from vault.records.records import Sealed, kept_once, kept_table

consents = kept_table("consents", "what is asked, texts of one's own")
kept_once("ix_consents_one", consents.c.owner)
"""An account, or an organisation, asks one thing at a time."""

CONSENT = Sealed("consents", Layout(frozenset(("asks", "texts"))))


def seal_asking(key: bytes, one: AskedConsents) -> dict[str, Any]:
    """The row of what somebody asks."""
    return CONSENT.row(key, one, export_asking(one))


def open_asking(key: bytes, row: Any) -> AskedConsents:
    """What somebody asks, in a row. Errors: Unreadable, Newer."""
    content, unknown = CONSENT.open(key, row)
    try:
        asks = tuple(known(one, ASKABLE) for one in content["asks"])
        texts = tuple(_text(one) for one in content["texts"])
        return AskedConsents(row.id, row.owner, asks, texts, number(row.version), unknown)
    except (LookupError, TypeError, ValueError):
        raise Unreadable from None


def _text(kept: Mapping[str, Any]) -> ConsentWording:
    """Errors: LookupError, TypeError, ValueError."""
    language = known(kept["language"], get_args(Language))
    return ConsentWording("house", language, str(kept["text"]), datetime.fromisoformat(kept["since"]))


def export_asking(one: AskedConsents) -> dict[str, Any]:
    """All of it."""
    texts = [{"language": text.language, "text": text.text, "since": text.since.isoformat()} for text in one.texts]
    return {"asks": list(one.asks), "texts": texts}


CONSENTS = CONSENT.kind(consents, open_asking, seal_asking, export=export_asking)
