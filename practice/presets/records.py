"""What is inside the sealed column of what an account plans often, and its table."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, get_args

from practice.accounts.model import Language
from practice.presets.model import Preset, Presets
from vault.errors import Unreadable
from vault.keys.envelope import Place
from vault.records.content import Layout, known, number, open_content, seal_content
from vault.records.records import Kind, kept_row, kept_table

presets = kept_table("presets", "names, minutes, languages")

LAYOUT = Layout(frozenset(("presets",)))


def place(row_id: str, owner: str) -> Place:
    """Where the content of what an account plans often stands."""
    return Place("presets", "content", row_id, owner)


def seal_presets(key: bytes, one: Presets) -> dict[str, Any]:
    """The row of what an account plans often."""
    return kept_row(one, seal_content(key, LAYOUT, export_presets(one), place(one.id, one.owner), one.unknown))


def open_presets(key: bytes, row: Any) -> Presets:
    """What an account plans often, in a row. Errors: Unreadable, Newer."""
    content, unknown = open_content(key, LAYOUT, row.content, place(row.id, row.owner))
    try:
        found = tuple(
            Preset(str(one["name"]), number(one["minutes"]), known(one["language"], get_args(Language)))
            for one in content["presets"]
        )
        return Presets(row.id, row.owner, found, number(row.version), unknown)
    except (LookupError, TypeError, ValueError):
        raise Unreadable from None


def export_presets(one: Presets) -> Mapping[str, Any]:
    """All of it."""
    return {"presets": [asdict(preset) for preset in one.presets]}


PRESETS = Kind(
    name="presets",
    table=presets,
    layout=LAYOUT,
    place=place,
    open=open_presets,
    seal=seal_presets,
    timed=False,
    kept=False,
    export=export_presets,
)
