"""What is inside the sealed column of a span of manual retention, and its table."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from practice.reminders.model import ManualSpan
from vault.errors import Unreadable
from vault.records.content import Layout, moment, number, stamp
from vault.records.records import Sealed, kept_once, kept_table

manual_spans = kept_table("manual_spans", "since when retention is manual, when its owner was reminded")
kept_once("ix_manual_spans_one", manual_spans.c.owner)

SPAN = Sealed("manual_spans", Layout(frozenset(("since", "told"))))


def seal_span(key: bytes, one: ManualSpan) -> dict[str, Any]:
    """The row of a span."""
    return SPAN.row(key, one, export_span(one))


def open_span(key: bytes, row: Any) -> ManualSpan:
    """The span in a row. Errors: Unreadable, Newer."""
    said, unknown = SPAN.open(key, row)
    try:
        since, told = datetime.fromisoformat(said["since"]), moment(said["told"])
        return ManualSpan(row.id, row.owner, since, told, number(row.version), unknown)
    except (TypeError, ValueError):
        raise Unreadable from None


def export_span(one: ManualSpan) -> Mapping[str, Any]:
    """All of it."""
    return {"since": one.since.isoformat(), "told": stamp(one.told)}


MANUAL_SPANS = SPAN.kind(manual_spans, open_span, seal_span, export=export_span)
