"""One word means one thing, and one file: no two classes of the server's inner floors have one name, no file is two."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.ours import FOLDERS, ROOT

FLOORS = ("practice", "rooms", "vault", "media")
INNER = {
    "Connection": "of SDP as of SQL: both are their formats' own word",
    "TransportFeedback": "the RTCP packet, and what is made of it",
    "CloseRoom": "what follows in a consult, and the call to a worker that carries it out",
    "RemovePeer": "as CloseRoom",
}
"""Names that two of them share, and why."""


def test_no_two_classes_have_one_name() -> None:
    places: dict[str, set[str]] = defaultdict(set)
    for floor in FLOORS:
        for path in (ROOT / floor).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef):
                    places[node.name].add(str(path.relative_to(ROOT)))
    assert {name: found for name, found in places.items() if len(found) > 1 and name not in INNER} == {}
    assert {name for name in INNER if len(places[name]) < 2} == set(), "these are no exceptions any more"


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    """What is longer is two things."""
    folders = (*FOLDERS, "bench", "tests")
    ours = [ROOT / "spreekkamer.py", *(path for folder in folders for path in ours_in(ROOT / folder))]
    long = {str(path.relative_to(ROOT)) for path in ours if len(path.read_text().splitlines()) > 400}
    assert long == set()


LISTS = {
    "operate/deployment/firewall.py": {"rules"},
    "signaling/metrics.py": {"__init__"},
    "vault/database/migrations/versions/0001_baseline.py": {"upgrade"},
}
"""Functions that are one list from beginning to end: a firewall's text, what is measured, the first tables."""


def test_no_function_is_longer_than_fifty_lines() -> None:
    long: dict[str, set[str]] = defaultdict(set)
    for path in (ROOT / "spreekkamer.py", *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= 50:
                long[str(path.relative_to(ROOT))].add(node.name)
    assert long == LISTS


def ours_in(folder: Path) -> Iterator[Path]:
    """Scripts and style sheets that we wrote."""
    for path in folder.rglob("*"):
        if path.suffix in (".py", ".js", ".css") and not {"vendor", "node_modules"} & set(path.parts):
            yield path
