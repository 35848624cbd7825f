"""Which folders hold the product's own code."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]

_pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())

FOLDERS: tuple[str, ...] = tuple(
    one.rstrip("*") for one in _pyproject["tool"]["setuptools"]["packages"]["find"]["include"]
)
"""All that is packed."""
