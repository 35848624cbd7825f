"""A folder's first lines list what is in it, so whoever opens one sees the way through it."""

import ast
import re
from pathlib import Path

import pytest

from tests.ours import FOLDERS, ROOT

SHAPE = {"model", "records", "store"}
"""Of every context; the table of ``practice`` has them."""

CODE = {"repr", "open_vault", "finding"}
"""Named as what they are in code."""

PACKAGES = [
    init.parent
    for folder in (*FOLDERS, "bench")
    for init in sorted((ROOT / folder).rglob("__init__.py"))
    if "migrations" not in init.parts
]


def inside(folder: Path) -> set[str]:
    """Modules and packages."""
    modules = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("__")}
    return modules | {path.parent.name for path in folder.glob("*/__init__.py")}


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_what_is_there_is_named_and_what_is_named_is_there(folder: Path) -> None:
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
    marked = set(re.findall(rf"`(?:{folder.name}\.)?([a-z_0-9]+)(?:\.py)?`", text)) - {"html"}
    listed = set(re.findall(r"^    ([a-z_]+) {2,}\w", text, re.MULTILINE))
    above = SHAPE if folder.parent.name == "practice" else set()
    assert inside(folder) - marked - listed - above == set(), "is there, and not named"
    folders = {path.name for path in folder.iterdir() if path.is_dir()}
    assert (marked | listed) - inside(folder) - folders - set(FOLDERS) - CODE - SHAPE == set(), (
        "is named, and not there"
    )
