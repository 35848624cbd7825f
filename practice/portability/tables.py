"""Tables as CSV (RFC 4180), in UTF-8 with a mark, that no spreadsheet takes for a formula.

A cell that begins as a formula does, also in full width, gets an apostrophe, and so does one that begins with an
apostrophe: whoever reads it back takes one away. Everything is quoted.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

MARK: Final = b"\xef\xbb\xbf"
BEGINS: Final = tuple("=+-@\t\r\n'\uff1d\uff0b\uff0d\uff20\uff07")


def cell(value: Any) -> str:
    """A value of JSON as one cell."""
    match value:
        case None:
            text = ""
        case bool():
            text = "true" if value else "false"
        case str():
            text = value
        case int() | float():
            return str(value)
        case _:
            text = json.dumps(value, ensure_ascii=False)
    return "'" + text if text.lstrip(" \u00a0\u200b\ufeff").startswith(BEGINS) else text


def rows(columns: Sequence[str], records: Iterable[Mapping[str, Any]]) -> bytes:
    """A line for each record."""
    return _lines([cell(one.get(name)) for name in columns] for one in records)


def head(columns: Sequence[str]) -> bytes:
    """The first line."""
    return MARK + _lines([columns])


def _lines(cells: Iterable[Sequence[str]]) -> bytes:
    into = io.StringIO()
    csv.writer(into, quoting=csv.QUOTE_ALL).writerows(cells)
    return into.getvalue().encode()
