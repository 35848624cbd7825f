"""Lines of the audit trail as a file to take along: CSV (RFC 4180), or a JSON object in each line.

Both say first what a check of the whole trail found, then the entries, oldest first. Names stand beside the references
that they are known by now; a reference without a name is all that is left of somebody. Acts and details stand there as
the trail has them, for programs, and in words of the reader's language.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final, Literal

from practice.organisation.oversight import Extract, TrailLine
from vault.audit import Act, TrailReport
from web.trail import act_said, said

Format = Literal["csv", "jsonl"]
FORMAT: Final = "spreekkamer-audit"
VERSION: Final = 1
"""Of the file: counts changes that a reader has to know."""

COLUMNS: Final = (
    *("number", "at", "act", "by", "by_reference", "by_name", "on", "on_reference", "on_name", "detail"),
    *("act_said", "detail_said"),
)
CONTENT: Final[Mapping[Format, str]] = {"csv": "text/csv", "jsonl": "application/jsonl"}
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for one at the beginning of a cell."""


def written(
    extract: Extract, form: Format, names: Mapping[str, str], made: datetime, text: Callable[..., str]
) -> bytes:
    """The file. ``names`` are those of the members, by account; ``made`` is now; ``text`` says words."""
    rows = [row(line, names, text) for line in extract.lines]
    return (as_csv if form == "csv" else as_lines)(rows, extract.report, made).encode()


def row(line: TrailLine, names: Mapping[str, str], text: Callable[..., str]) -> dict[str, Any]:
    """What a line says, by column."""
    entry = line.entry
    values = (
        *(entry.number, stamp(entry.moment), entry.act),
        *(entry.actor, entry.actor_name, names.get(line.by or "")),
        *(entry.subject, entry.subject_name, names.get(line.on or "")),
        entry.detail,
        *(act_said(entry.act, text), said(entry.act, entry.detail, text)),
    )
    return dict(zip(COLUMNS, values, strict=True))


def as_lines(rows: list[dict[str, Any]], report: TrailReport, made: datetime) -> str:
    """An object each; the first is about the file and the trail."""
    about = {"format": FORMAT, "version": VERSION, "made_at": stamp(made), "whole": report.bad is None}
    about |= {"trail": asdict(report), "entries": len(rows)}
    return "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in (about, *rows))


def as_csv(rows: list[dict[str, Any]], report: TrailReport, made: datetime) -> str:
    """A table; its first row, without a number, says what the check found. A cell is never a formula."""
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, COLUMNS)
    table.writeheader()
    table.writerow({"at": stamp(made), "act": Act.AUDIT_VERIFIED, "by": "server", "detail": sentence(report)})
    table.writerows({name: cell(value) for name, value in one.items()} for one in rows)
    return text.getvalue()


def sentence(report: TrailReport) -> str:
    """What a check found, for who reads a table."""
    return " ".join(_said(report))


def _said(report: TrailReport) -> Iterator[str]:
    if report.bad is not None:
        yield f"not whole: entry {report.bad.number} is the first bad one. {report.bad.reason}"
    else:
        yield f"whole: {report.entries} entries, {report.first} to {report.last}."
    for number, count in report.gaps:
        yield f"{count} entries from {number} on were lost when an older database was put back."


def cell(value: object) -> object:
    """As a spreadsheet shows it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def stamp(moment: datetime) -> str:
    """In UTC (RFC 3339)."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
