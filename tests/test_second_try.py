"""The second try of a run of tests: for a few that failed, said aloud, and never for many."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
WAVERS = """
from pathlib import Path
def test_wavers():
    before = Path("before")
    seen = before.exists()
    before.touch()
    assert seen
def test_holds():
    pass
"""
FAILS = """
import pytest
@pytest.mark.parametrize("number", range({}))
def test_fails(number):
    with open("runs", "a") as file:
        file.write("x")
    assert False
"""


def run(folder: Path, source: str) -> tuple[int, str]:
    (folder / "test_it.py").write_text(source)
    (folder / "var").mkdir()
    command = [sys.executable, str(ROOT / ".ci/tests"), "it", "-n", "0", "--rootdir", str(folder), "-c", "/dev/null"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_what_passes_the_second_time_is_named(tmp_path: Path) -> None:
    code, said = run(tmp_path, WAVERS)
    assert code == 0, said
    assert "Passed only the second time; each is to be mended:\n  test_it.test_wavers\n" in said


def test_what_fails_twice_fails_the_run(tmp_path: Path) -> None:
    code, said = run(tmp_path, FAILS.format(3))
    assert (code, (tmp_path / "runs").read_text()) == (1, "x" * 6), said


def test_many_are_not_tried_again(tmp_path: Path) -> None:
    code, said = run(tmp_path, FAILS.format(4))
    assert (code, (tmp_path / "runs").read_text()) == (1, "x" * 4), said
