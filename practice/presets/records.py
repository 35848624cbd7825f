"""What is inside the sealed column of what an account plans often, and its table."""

from dataclasses import asdict
from typing import Any, get_args

from practice.accounts.model import Language
from practice.presets.model import Preset, Presets
from vault.errors import Unreadable
from vault.records.content import Layout, known, number
from vault.records.records import Sealed, kept_table

presets = kept_table("presets", "names, minutes, languages")

PRESET = Sealed("presets", Layout(frozenset(("presets",))))


def seal_presets(key: bytes, one: Presets) -> dict[str, Any]:
    """The row of what an account plans often."""
    return PRESET.row(key, one, export_presets(one))


def open_presets(key: bytes, row: Any) -> Presets:
    """What an account plans often, in a row. Errors: Unreadable, Newer."""
    content, unknown = PRESET.open(key, row)
    try:
        found = tuple(
            Preset(str(one["name"]), number(one["minutes"]), known(one["language"], get_args(Language)))
            for one in content["presets"]
        )
        return Presets(row.id, row.owner, found, number(row.version), unknown)
    except (LookupError, TypeError, ValueError):
        raise Unreadable from None


def export_presets(one: Presets) -> dict[str, Any]:
    """All of it."""
    return {"presets": [asdict(preset) for preset in one.presets]}


PRESETS = PRESET.kind(presets, open_presets, seal_presets, export=export_presets)
