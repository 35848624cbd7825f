"""What is inside the sealed column of an account's particulars, and its table."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from practice.particulars.model import Particulars, Told
from vault.errors import Unreadable
from vault.records.content import Layout, number
from vault.records.records import Sealed, kept_table

particulars = kept_table("particulars", "gender, birth, address, phone, note")

TOLD = Sealed(
    "particulars", Layout(frozenset(("gender", "born", "street", "postal_code", "city", "country", "phone", "note")))
)


def seal_particulars(key: bytes, one: Particulars) -> dict[str, Any]:
    """The row of an account's particulars."""
    return TOLD.row(key, one, export_particulars(one))


def open_particulars(key: bytes, row: Any) -> Particulars:
    """The particulars in a row. Errors: Unreadable, Newer."""
    content, unknown = TOLD.open(key, row)
    try:
        born = None if content["born"] is None else date.fromisoformat(content["born"])
        return Particulars(row.id, row.owner, Told(**{**content, "born": born}), number(row.version), unknown)
    except (TypeError, ValueError):
        raise Unreadable from None


def export_particulars(one: Particulars) -> Mapping[str, Any]:
    """All of it."""
    return asdict(one.told) | {"born": one.told.born.isoformat() if one.told.born else None}


PARTICULARS = TOLD.kind(particulars, open_particulars, seal_particulars, export=export_particulars)
