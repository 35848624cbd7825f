"""What is inside the sealed column of an account's particulars, and its table."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from practice.particulars.model import Particulars, Told
from vault.errors import Unreadable
from vault.keys.envelope import Place
from vault.records.content import Layout, number, open_content, seal_content
from vault.records.records import Kind, kept_row, kept_table

particulars = kept_table("particulars", "gender, birth, address, phone, note")

LAYOUT = Layout(frozenset(("gender", "born", "street", "postal_code", "city", "country", "phone", "note")))


def place(row_id: str, owner: str) -> Place:
    """Where the content of an account's particulars stands."""
    return Place("particulars", "content", row_id, owner)


def seal_particulars(key: bytes, one: Particulars) -> dict[str, Any]:
    """The row of an account's particulars."""
    return kept_row(one, seal_content(key, LAYOUT, export_particulars(one), place(one.id, one.owner), one.unknown))


def open_particulars(key: bytes, row: Any) -> Particulars:
    """The particulars in a row. Errors: Unreadable, Newer."""
    content, unknown = open_content(key, LAYOUT, row.content, place(row.id, row.owner))
    try:
        born = None if content["born"] is None else date.fromisoformat(content["born"])
        return Particulars(row.id, row.owner, Told(**{**content, "born": born}), number(row.version), unknown)
    except (TypeError, ValueError):
        raise Unreadable from None


def export_particulars(one: Particulars) -> Mapping[str, Any]:
    """All of it."""
    return asdict(one.told) | {"born": one.told.born.isoformat() if one.told.born else None}


PARTICULARS = Kind(
    name="particulars",
    table=particulars,
    layout=LAYOUT,
    place=place,
    open=open_particulars,
    seal=seal_particulars,
    timed=False,
    kept=False,
    export=export_particulars,
)
