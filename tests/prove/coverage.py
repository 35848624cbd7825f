"""Each line and each branch of what keeps secrets, destroys, and decides who may do what is run by a test.

Figures are per folder; what no test reaches is listed below them.
"""

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.prove.figures import Figure, Size

ROOT = Path(__file__).parents[2]
NAMED = (
    "practice/**/*.py",
    "rooms/**/*.py",
    "vault/**/*.py",
    "signaling/rest/**/*.py",
    *(
        f"signaling/{module}.py"
        for module in (
            *("admission", "challenges", "dissolving", "forgotten", "leaving", "limiter", "passwords", "refresh"),
            *("scopes", "second_factor", "session_use", "sessions", "tickets", "turnstile"),
        )
    ),
)
"""Crypto, key store, storage, retention, audit trail, diagnostics; authorisation."""
SOURCES = ("practice", "rooms", "signaling", "vault")
TESTS = (
    "tests/operate",
    "tests/practice",
    "tests/rooms",
    "tests/vault",
    "tests/signaling",
    "tests/web/forms",
    "tests/web/practice",
    "tests/test_copies_and_proof.py",
    "tests/test_inventory.py",
    "tests/test_locked_server.py",
)
SHORT = ("rooms/technical_check.py",), ("tests/rooms/test_technical_check.py",), ("rooms.technical_check",)


@dataclass
class Reached:
    """Of one folder."""

    lines: int = 0
    all_lines: int = 0
    branches: int = 0
    all_branches: int = 0
    gaps: list[str] = field(default_factory=list)

    def add(self, path: str, found: Mapping[str, Any]) -> None:
        """A file of it, as Coverage.py reports it in JSON."""
        summary = found["summary"]
        self.lines += summary["covered_lines"]
        self.all_lines += summary["num_statements"]
        self.branches += summary["covered_branches"]
        self.all_branches += summary["num_branches"]
        jumps = [f"{start}->{'exit' if end < 0 else end}" for start, end in found["missing_branches"]]
        if missed := [*map(str, found["missing_lines"]), *jumps]:
            self.gaps.append(f"{path}: {', '.join(missed)}")

    def figure(self, folder: str) -> Figure:
        """Of these rows all must be met."""
        reached = f"{self.lines:,} of {self.all_lines:,} lines, {self.branches:,} of {self.all_branches:,} branches"
        met = self.lines == self.all_lines > 0 and self.branches == self.all_branches
        return Figure(f"`{folder}`: lines and branches that a test runs", "100 %", reached, met)


def prove(size: Size) -> list[Figure]:
    """Measure, and list the gaps."""
    patterns, tests, sources = (NAMED, TESTS, SOURCES) if size.full else SHORT
    paths = list(named(patterns))
    report = size.folder / "coverage.json"
    outcome = measure(tests, sources, report, parallel=size.full)
    if not report.exists():
        return [Figure("tests that pass while this is measured", "all", outcome, met=False)]
    folders = by_folder(json.loads(report.read_text())["files"], paths)
    for reached in folders.values():
        for gap in reached.gaps:
            sys.stdout.write(f"    not reached: {gap}\n")
    figures = [reached.figure(folder) for folder, reached in sorted(folders.items())]
    return [*figures, Figure("tests that pass while this is measured", "all", outcome, met="failed" not in outcome)]


def measure(tests: Sequence[str], sources: Sequence[str], report: Path, *, parallel: bool) -> str:
    """Run the tests; what pytest says last."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "tests.prove.resumed",
        "-m",
        "not serial and not browser",
        *tests,
    ]
    command += [f"--cov={source}" for source in sources]
    command += ["--cov-branch", f"--cov-report=json:{report}", "--cov-report="]
    command += ["-n", "2"] if parallel else ["-p", "no:xdist"]
    environment = {**os.environ, "COVERAGE_FILE": str(report.with_name(".coverage"))}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if " passed" in line or " failed" in line or " error" in line]
    last = lines[-1].strip("= ") if lines else done.stderr.strip()[-200:]
    if done.returncode:
        sys.stdout.write(done.stdout)
        return f"failed ({last})"
    return last.partition(" in ")[0]


def named(patterns: Sequence[str]) -> Iterator[str]:
    """The files that must be reached, from the root of the tree."""
    for pattern in patterns:
        found = [str(path.relative_to(ROOT)) for path in ROOT.glob(pattern)]
        if not found:
            raise FileNotFoundError(pattern)
        yield from found


def by_folder(report: Mapping[str, Any], paths: Sequence[str]) -> dict[str, Reached]:
    """What was reached of these files. One that the report does not know was never imported; that is a gap too."""
    folders: dict[str, Reached] = defaultdict(Reached)
    for path in sorted(paths):
        folder = folders[str(Path(path).parent)]
        if path in report:
            folder.add(path, report[path])
        else:
            folder.all_lines += 1
            folder.gaps.append(f"{path}: never imported")
    return dict(folders)
