"""Tables of a document that are made of the code, between two marks of their name."""

import re
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

MARKS = "<!-- {0}: begin, generated -->\n{1}<!-- {0}: end -->"


def rows(head: str, lines: Iterable[str]) -> str:
    """A table of Markdown."""
    return "".join(f"{line}\n" for line in (head, "|---" * (head.count("|") - 1) + "|", *lines))


def filled(document: Path, tables: Mapping[str, str]) -> str:
    """The document with these in their places."""
    text = document.read_text()
    for name, table in tables.items():
        pattern = re.escape(f"<!-- {name}: begin, generated -->") + r"\n.*?" + re.escape(f"<!-- {name}: end -->")
        text, found = re.subn(pattern, partial(_as_it_is, MARKS.format(name, table)), text, flags=re.DOTALL)
        assert found == 1, f"no place for {name}"
    return text


def _as_it_is(text: str, _: re.Match[str]) -> str:
    return text
