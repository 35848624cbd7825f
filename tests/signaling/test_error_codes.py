"""Every code with which the domain refuses is in the catalogue that clients have."""

import ast
from collections.abc import Iterator
from pathlib import Path

from signaling.protocol.errors import CATALOGUE

DOMAIN = [Path(__file__).parents[2] / folder for folder in ("practice", "rooms", "vault")]


def codes() -> Iterator[str]:
    """What ``DomainError`` is called with, also by its subclasses."""
    for path in (path for folder in DOMAIN for path in folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and is_refusal(node.func, path):
                given = [one for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
                yield from (str(one.value) for one in given[:1])


def is_refusal(called: ast.expr, path: Path) -> bool:
    """``DomainError(…)`` anywhere, and how its subclasses begin."""
    if isinstance(called, ast.Attribute) and called.attr == "__init__":
        return path.name == "errors.py"
    return isinstance(called, ast.Name) and called.id == "DomainError"


def test_every_code_is_in_the_catalogue() -> None:
    found = set(codes())
    assert {"locked", "unreadable", "seat_taken", "try_again"} <= found
    assert found <= CATALOGUE.keys()
