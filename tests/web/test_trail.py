"""Entries of the audit trail in words: no act and no detail is shown as a code."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.ours import FOLDERS, ROOT
from tests.words import assert_in_words
from vault.audit import Act, Entry
from web.locale import CATALOGUES
from web.trail import DETAILS, entry_said

ENTRY = Entry(1, 0, "practitioner", None, Act.ROLES_CHANGED, None, None, "1")


def details_written(path: Path) -> Iterator[tuple[Act, str]]:
    """Each act with a detail that stands beside it in a source file, wherever it is entered."""
    for call in ast.walk(ast.parse(path.read_text())):
        if not isinstance(call, ast.Call):
            continue
        acts = [one.attr for one in call.args if isinstance(one, ast.Attribute) and ast.unparse(one.value) == "Act"]
        given = [*call.args, *(one.value for one in call.keywords if one.arg == "detail")]
        words = [word for one in given for word in constants(one)]
        yield from ((Act[act], word) for act in acts for word in words)


def constants(node: ast.expr) -> Iterator[str]:
    """A text that stands there, or each of those between which is chosen."""
    if isinstance(node, ast.IfExp):
        yield from (*constants(node.body), *constants(node.orelse))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def test_every_detail_that_is_written_anywhere_has_words() -> None:
    """Those that are put together at run time are checked where servers of tests enter them."""
    files = [ROOT / "spreekkamer.py", *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))]
    found = [one for path in files if path.name != "trail.py" for one in details_written(path)]
    assert {(Act.SIGNED_IN, "passkey"), (Act.KEYS_ROTATED, "epoch"), (Act.DESTRUCTION_PROVED, "waiting")} <= set(found)
    for act, word in found:
        assert_in_words(act, word)


def test_what_has_no_word_is_noticed() -> None:
    with pytest.raises(AssertionError, match="no word for purple"):
        assert_in_words(Act.POLICY_CHANGED, "purple")


@pytest.mark.parametrize(
    ("act", "detail", "said"),
    [
        ("roles-changed", "2", "Rôles changés (2 rôles)"),
        ("policy-changed", "any", "Règles du cabinet modifiées (Pas de limite du cabinet)"),
        ("worked-for", "appointment-created", "Fait pour un praticien (Rendez-vous créé)"),
        ("signed-in", None, "Connexion"),
        ("of-a-newer-server", "soon", "of-a-newer-server (soon)"),
        ("roles-changed", "of-a-newer-server", "Rôles changés (of-a-newer-server)"),
    ],
)
def test_an_entry_is_said_on_one_line(act: str, detail: str | None, said: str) -> None:
    assert entry_said(replace(ENTRY, act=act, detail=detail), CATALOGUES["fr"].text) == said


def test_every_detail_has_words_in_every_language() -> None:
    for catalogue in CATALOGUES.values():
        for act, details in DETAILS.items():
            for detail in (*details.words, *details.names, *(["0", "1", "12"] if details.counted else [])):
                said = details.said(detail, catalogue.text)
                assert said, f"{catalogue.language}: {act}: {detail}"
