"""Which tests reach a mutant, and how long each takes."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Self

import coverage
import pytest

from tests.prove.mutants import Mutant

ENOUGH = 30.0  # seconds that the tests of one mutant may take together, when nothing is changed
PATIENCE = 4  # times as long may they take when something is

OF_TABLES = "tests/vault/test_migrations.py::test_the_migrations_make_exactly_the_tables_of_the_code[sqlite]"
"""A table is made when its module is imported; this one looks at what was made, and runs no line of that module."""


@dataclass(frozen=True)
class Reach:
    """By file and line, the tests that run it; by test its seconds, or why it failed."""

    lines: Mapping[tuple[str, int], set[str]]
    seconds: Mapping[str, float]
    failed: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, places: Sequence[Path]) -> Self:
        """What ``Watch`` and coverage have written. A test that failed has no seconds and is not chosen."""
        seconds: dict[str, float] = {}
        failed: dict[str, str] = {}
        lines: dict[tuple[str, int], set[str]] = defaultdict(set)
        for place in places:
            rows = [line.split(" ", 1) for line in place.read_text().splitlines()]
            seconds |= {test: float(count) for count, test in rows}
            failed |= json.loads(place.with_suffix(".failed").read_text())
            found = coverage.CoverageData(f"{place}.lines")
            found.read()
            for file in found.measured_files():
                for line, contexts in found.contexts_by_lineno(file).items():
                    lines[file, line] |= set(contexts)
        return cls(lines, seconds, failed)

    def tests(self, mutant: Mutant) -> list[str]:
        """Those that could notice, the quickest and closest first; where that is not known, all that reach the file."""
        file = str(mutant.path)
        chosen: list[str] = []
        reaching = {test for line in mutant.lines for test in self.lines.get((file, line), ())} & self.seconds.keys()
        if not reaching:
            reaching = {test for (path, _), tests in self.lines.items() if path == file for test in tests}
            chosen = [test for test in [OF_TABLES] if test in self.seconds]
        spent = 0.0
        breadth = self.breadth
        for test in sorted(reaching & self.seconds.keys(), key=lambda test: self.seconds[test] * breadth[test]):
            spent += self.seconds[test]
            if chosen and spent > ENOUGH:
                break
            chosen.append(test)
        return chosen

    @cached_property
    def breadth(self) -> Counter[str]:
        """How many lines each test runs: what runs few is about these."""
        return Counter(chain.from_iterable(self.lines.values()))

    def patience(self, tests: Sequence[str]) -> float:
        """After so many seconds a mutant hangs."""
        return 30 + PATIENCE * sum(self.seconds[test] for test in tests)


class Watch:
    """In a child: how long each test took, which failed, and which one coverage is to think of."""

    def __init__(self, measured: coverage.Coverage | None = None) -> None:
        self.failed: dict[str, str] = {}
        self._seconds: dict[str, float] = {}
        self._measured = measured

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        if self._measured:
            self._measured.switch_context(item.nodeid)
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid] = self._seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.failed.setdefault(report.nodeid, f"{report.when}: {report.longreprtext.splitlines()[-1:]}")

    def write(self, place: Path) -> None:
        """The seconds of those that passed, a line for each; why others failed beside it."""
        passed = [f"{seconds} {test}" for test, seconds in self._seconds.items() if test not in self.failed]
        place.write_text("\n".join(passed))
        place.with_suffix(".failed").write_text(json.dumps(self.failed))
