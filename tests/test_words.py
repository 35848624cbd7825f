"""One word means one thing: no two classes of the server's inner floors have one name."""

import ast
from collections import defaultdict

from tests.ours import ROOT

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
