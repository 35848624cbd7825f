"""Mutation: change the code in one small place after another and see whether a test notices.

    python -m tests.prove.mutation rooms/keys --tests tests/rooms/test_key_store.py tests/rooms/test_bao.py

The tests are collected once and run once under coverage, so that each mutant meets only tests that reach it, quickest
first, until one fails. A mutant lives in a forked process and changes the functions that are loaded there (or, if it
changes what runs at import, all our modules are imported anew): no file is ever changed. Two run at a time; servers
that the tests need (PostgreSQL, OpenBao) are started once for all. Stops after ``--seconds``; what was tried until then
is a random sample. Prints the score and every survivor.
"""

import argparse
import contextlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import coverage
import pytest

from tests.prove.mutants import ROOT, Hook, Mutant, mutants, put_in_place
from tests.rooms import bao, postgres

OURS = ("rooms", "signaling", "tests", "web", "media", "turn")
KEPT = {"tests", "tests.rooms", "tests.prove", "tests.rooms.bao", "tests.rooms.postgres", "tests.rooms.child"}
QUIET = ["-q", "--no-header", "--no-summary", "-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:xdist"]
ENOUGH = 30.0  # seconds that the tests of one mutant may take together, when nothing is changed
PATIENCE = 4  # times as long may they take when something is
SCRATCH = "/dev/shm" if Path("/dev/shm").is_dir() else None  # where flushing costs nothing


@dataclass(frozen=True)
class Reach:
    """Which tests reach which line of which file, and how long each takes."""

    lines: Mapping[tuple[str, int], set[str]]
    seconds: Mapping[str, float]

    def tests(self, mutant: Mutant) -> list[str]:
        """Those that could notice, quickest first; for what runs at import all that reach anything of the file."""
        file = str(mutant.path)
        reaching = self.lines.get((file, mutant.line), set()) & self.seconds.keys()
        if not reaching:
            reaching = {test for (path, _), tests in self.lines.items() if path == file for test in tests}
        chosen: list[str] = []
        spent = 0.0
        for test in sorted(reaching & self.seconds.keys(), key=lambda test: self.seconds[test]):
            spent += self.seconds[test]
            if chosen and spent > ENOUGH:
                break
            chosen.append(test)
        return chosen

    def patience(self, tests: Sequence[str]) -> float:
        """After so many seconds a mutant hangs."""
        return 30 + PATIENCE * sum(self.seconds[test] for test in tests)


class Watch:
    """In a child: how long each test took, whether one failed, and which one coverage is to think of."""

    def __init__(self, measured: coverage.Coverage | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self.failed = False
        self._measured = measured

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        if self._measured:
            self._measured.switch_context(item.nodeid)
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        self.failed = self.failed or report.failed


@dataclass
class Child:
    """A mutant at work."""

    mutant: Mutant
    process: int
    deadline: float

    def noticed(self) -> bool | None:
        """Whether a test noticed it; None when that is not known yet. One that hangs is noticed."""
        ended, status = os.waitpid(self.process, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status) != 0
        if time.monotonic() < self.deadline:
            return None
        os.killpg(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        return True


class Campaign:
    """A pytest plugin: instead of running the tests once it runs them for each mutant."""

    def __init__(self, given: argparse.Namespace, servers: "Servers", scratch: Path) -> None:
        self._given = given
        self._servers = servers
        self._scratch = scratch
        self.tried = 0
        self.alive: list[Mutant] = []
        self.everything = mutants([path.resolve() for path in given.paths])

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        reach = self._baseline(session)
        order = random.Random(self._given.seed).sample(self.everything, len(self.everything))
        end, running = time.monotonic() + self._given.seconds, list[Child]()
        while running or (order and time.monotonic() < end):
            while order and len(running) < self._given.jobs and time.monotonic() < end:
                mutant = order.pop()
                tests = reach.tests(mutant)
                process = self._start(partial(self._meet, mutant, [items[test] for test in tests]))
                running.append(Child(mutant, process, time.monotonic() + reach.patience(tests)))
            time.sleep(0.01)
            for child in list(running):
                if (noticed := child.noticed()) is not None:
                    running.remove(child)
                    self._count(child, noticed)
        return True

    def _count(self, child: Child, noticed: bool) -> None:
        shutil.rmtree(self._scratch / str(child.process), ignore_errors=True)
        self.tried += 1
        if not noticed:
            self.alive.append(child.mutant)
            print(f"survived: {child.mutant}", file=sys.__stdout__, flush=True)

    def _baseline(self, session: pytest.Session) -> Reach:
        """Run all tests once; ends the program when one fails without any mutant."""
        data, times = self._scratch / "coverage", self._scratch / "times"

        def run() -> bool:
            places = [str(path if path.is_dir() else path.parent) for path in self._given.paths]
            measured = coverage.Coverage(data_file=str(data), source=places, config_file=str(ROOT / "pyproject.toml"))
            watch = Watch(measured)
            with measured.collect():
                self._run(session.items, watch)
            measured.save()
            times.write_text("\n".join(f"{seconds} {test}" for test, seconds in watch.seconds.items()))
            return watch.failed

        if os.waitstatus_to_exitcode(os.waitpid(self._start(run), 0)[1]) != 0:
            pytest.exit("The tests fail as it is.", returncode=2)
        rows = [line.split(" ", 1) for line in times.read_text().splitlines()]
        found = coverage.CoverageData(str(data))
        found.read()
        lines = {
            (file, line): set(contexts)
            for file in found.measured_files()
            for line, contexts in found.contexts_by_lineno(file).items()
        }
        return Reach(lines, {test: float(seconds) for seconds, test in rows})

    def _start(self, work: Callable[[], bool]) -> int:
        """Do it in a child with a folder of its own; its status is 1 when a test failed."""
        child = os.fork()
        if child:
            return child
        os.setsid()
        status = 1
        with contextlib.suppress(BaseException):
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
            self._servers.count_on()
            status = int(work())
        os._exit(status)

    def _meet(self, mutant: Mutant, items: Sequence[pytest.Item]) -> bool:
        """Whether one of these tests notices."""
        watch = Watch()
        if put_in_place(mutant):
            self._run(items, watch)
        else:
            forget_ours()
            sys.meta_path.insert(0, Hook(mutant))
            folder = self._scratch / str(os.getpid())
            status = pytest.main([*QUIET, "-x", f"--basetemp={folder}", *(item.nodeid for item in items)])
            watch.failed = status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
        return watch.failed

    def _run(self, items: Sequence[pytest.Item], watch: Watch) -> None:
        """Until one fails."""
        if not items:
            return
        config = items[0].config
        # pytest has no public way to another folder after its start
        config._tmp_path_factory._given_basetemp = self._scratch / str(os.getpid())  # type: ignore[attr-defined]
        config.pluginmanager.unregister(name="terminalreporter")
        config.pluginmanager.register(watch)
        for item, following in zip(items, [*items[1:], None], strict=True):
            config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if watch.failed:
                return


class Servers:
    """PostgreSQL and OpenBao for every forked process, each with names of its own."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        started: list[tuple[Any, Any]] = [(bao, stack.enter_context(bao.running()))]
        if postgres.binaries():
            started.append((postgres, stack.enter_context(postgres.running())))
        self._servers = [server for _, server in started]
        for module, server in started:
            plain = module.running
            module.running = lambda *options, of=server, plain=plain: (
                plain(*options) if options else contextlib.nullcontext(of)
            )

    def count_on(self) -> None:
        """In a child: names that no other uses."""
        for server in self._servers:
            server._count = os.getpid() * 10_000


def forget_ours() -> None:
    """Import our own modules anew; libraries stay, and the servers."""
    for module in list(sys.modules):
        if module.partition(".")[0] in OURS and module not in KEPT and not module.startswith("tests.prove"):
            del sys.modules[module]


def main() -> None:
    parser = argparse.ArgumentParser(description="Mutation score of some modules under some tests.")
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--tests", nargs="+", required=True)
    parser.add_argument("--seconds", type=float, default=600.0, help="after which no new mutant is tried")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="mutants at a time")
    parser.add_argument("--least", type=float, default=0.0, help="exit with status 1 below this percentage")
    given = parser.parse_args()
    os.chdir(ROOT)
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mutation-", dir=SCRATCH)))
        campaign = Campaign(given, Servers(stack), scratch)
        status = pytest.main([*QUIET, "-m", "not serial and not browser", *given.tests], plugins=[campaign])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        sys.exit(int(status))
    noticed = campaign.tried - len(campaign.alive)
    score = 100 * noticed / max(campaign.tried, 1)
    print(f"mutation: {noticed} of {campaign.tried} noticed ({len(campaign.everything)} possible), score {score:.1f} %")
    sys.exit(score < given.least)


if __name__ == "__main__":
    main()
