"""Each proof in its short form; ``make prove`` runs the long ones."""

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.prove.__main__ import NAMES, README, written
from tests.prove.coverage import NAMED, TESTS, by_folder, named
from tests.prove.figures import at_most, counted

ROOT = Path(__file__).parents[2]
LONG_ONLY = ("stacks", "mail", "leaving")
"""What needs packages that only ``make prove`` installs, and what ``signaling/live/test_deactivated.py`` tries."""

MEASURED = ("crowd", "speed", "strangers")
"""What depends on how busy the machine is; the numbers are judged by ``make prove``."""


@pytest.mark.duty("S-15", "S-30", "S-31", "S-33")
@pytest.mark.parametrize("name", [name for name in NAMES if name not in LONG_ONLY])
async def test_what_is_promised_holds(name: str) -> None:
    if name == "handshake" and not (shutil.which("spin") and shutil.which("gcc")):
        pytest.skip("NOT TESTED: install spin gcc")
    if name == "memory" and os.geteuid() != 0:
        pytest.skip("NOT TESTED: the memory of another process is root's to read")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.prove", "--short", name),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate())[0].decode()
    assert "| met |" in said, said
    assert process.returncode == 0 or name in MEASURED, said


def test_a_figure_that_is_not_met_says_so() -> None:
    assert not counted("lost", 1, 200, "kills").met
    assert not counted("lost", 0, 0, "kills").met, "nothing was tried"
    assert counted("lost", 0, 200, "kills").row() == "| lost | 0 | 0 in 200 kills | yes |"
    assert at_most("listing", 60, 60.1, "ms").row() == "| listing | ≤ 60 ms | 60.1 ms | **no** |"
    assert json.dumps(at_most("listing", 60, 59.9, "ms").met) == "true"


@pytest.mark.parametrize("name", NAMES)
def test_a_table_is_written_in_its_place_and_leaves_the_others(name: str) -> None:
    page = README.read_text()
    once = written(page, name, "| new |")
    assert once.count("| new |") == 1
    assert written(once, name, "| newer |") == once.replace("| new |", "| newer |")
    others = [other for other in NAMES if other != name]
    for other in others:
        start, end = f"<!-- {other} -->", f"<!-- end of {other} -->"
        assert once[once.index(start) : once.index(end)] == page[page.index(start) : page.index(end)]


def test_what_must_be_reached_is_there() -> None:
    assert len(list(named(NAMED))) > 100
    assert all((ROOT / one).exists() for one in TESTS)


def test_what_no_test_reaches_is_listed_and_not_met() -> None:
    summary = {"covered_lines": 8, "num_statements": 10, "covered_branches": 3, "num_branches": 4}
    report: dict[str, dict[str, Any]]
    report = {"a/b.py": {"summary": summary, "missing_lines": [4, 5], "missing_branches": [[3, 7], [9, -1]]}}
    folder = by_folder(report, ["a/b.py", "a/c.py"])["a"]
    assert folder.gaps == ["a/b.py: 4, 5, 3->7, 9->exit", "a/c.py: never imported"]
    assert folder.figure("a").row() == (
        "| `a`: lines and branches that a test runs | 100 % | 8 of 11 lines, 3 of 4 branches | **no** |"
    )
    whole = {"covered_lines": 8, "num_statements": 8, "covered_branches": 3, "num_branches": 4}
    report = {"a/b.py": {"summary": whole, "missing_lines": [], "missing_branches": [[3, 7]]}}
    assert not by_folder(report, ["a/b.py"])["a"].figure("a").met, "a branch counts like a line"
    report["a/b.py"]["summary"] = whole | {"covered_branches": 4}
    assert by_folder(report, ["a/b.py"])["a"].figure("a").met
