"""Mutation: change the code in one small place after another and see whether a test notices.

    python -m tests.prove.mutation vault/keys vault/destruction/deadline.py --tests tests/vault [--write]

The tests are collected once and run once under coverage, so that each mutant meets only tests that reach it, quickest
first, until one fails. A mutant lives in a forked process and changes the functions that are loaded there (or, if it
changes what runs at import, all our modules are imported anew): no file is ever changed. Two run at a time; servers
that the tests need (PostgreSQL, OpenBao) are started once for all. Stops after ``--seconds``; what was tried until then
is a random sample of each path, in turn, and the score is that of the paths by the number of mutants that each could
have. A mutant counts as noticed when the same tests, in the same order, pass without it; a test that fails then too is
left out from there on, and the mutant is tried again. Prints every survivor and a table, which ``--write`` puts into
README.md beside this file; so it does when it is told to end (SIGTERM).
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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any
from unittest import mock

import coverage
import pytest

from tests.ours import FOLDERS
from tests.prove.__main__ import README, table, written
from tests.prove.figures import Figure
from tests.prove.mutants import ROOT, Hook, Mutant, loaded, mutants
from tests.prove.reach import Reach, Watch
from tests.servers import bao, postgres

OURS = (*FOLDERS, "tests")
KEPT = {"tests", "tests.prove", "tests.servers.bao", "tests.servers.postgres", "tests.servers.child"}
QUIET = ["-q", "--no-header", "--no-summary", "-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:xdist"]
MOST_LEFT_OUT = 1
"""Percent of all tests: a score without more of them says nothing of what they would have noticed."""

SCRATCH = "/dev/shm" if Path("/dev/shm").is_dir() else None  # where flushing costs nothing


@dataclass(frozen=True)
class Try:
    """A mutant and the tests that it meets; as a control the tests without it."""

    mutant: Mutant
    tests: tuple[str, ...]
    control: bool = False


@dataclass
class Child:
    """A try at work."""

    what: Try
    process: int
    deadline: float
    hung: bool = False

    def noticed(self) -> bool | None:
        """Whether a test noticed it; None when that is not known yet. One that hangs is noticed."""
        ended, status = os.waitpid(self.process, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status) != 0
        if time.monotonic() < self.deadline:
            return None
        os.killpg(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        self.hung = True
        return True


@dataclass
class Tally:
    """Of one path: all mutants that it could have, and what became of those that were tried."""

    possible: int
    tried: int = 0
    alive: int = 0
    hung: int = 0

    @property
    def share(self) -> float:
        """How many of those tried were noticed, from 0 to 1."""
        return (self.tried - self.alive) / max(self.tried, 1)


@dataclass
class Score:
    """Of all paths."""

    least: float
    paths: dict[str, Tally]
    tests: int = 0
    controls: int = 0
    left_out: set[str] = field(default_factory=set)

    @property
    def percent(self) -> float:
        """Of all mutants there could be, were they all like those tried."""
        possible = sum(one.possible for one in self.paths.values())
        return 100 * sum(one.share * one.possible for one in self.paths.values()) / max(possible, 1)

    def figures(self) -> list[Figure]:
        """A row for each path, for all, and for the tests that cannot be relied on."""
        rows = [self._row(f"`{path}`", 100 * one.share, [one]) for path, one in self.paths.items()]
        whole = self._row("all, each path by its size", self.percent, list(self.paths.values()))
        found = f"{len(self.left_out)} of {self.tests:,} found in all tests and {self.controls:,} controls"
        few = 100 * len(self.left_out) <= MOST_LEFT_OUT * self.tests
        left_out = "tests that fail without any change, and were left out"
        return [*rows, whole, Figure(left_out, f"≤ {MOST_LEFT_OUT} %", found, met=few)]

    def _row(self, what: str, percent: float, tallies: Sequence[Tally]) -> Figure:
        tried, hung = sum(one.tried for one in tallies), sum(one.hung for one in tallies)
        alive, possible = sum(one.alive for one in tallies), sum(one.possible for one in tallies)
        reached = f"{percent:.1f} % ({tried - alive:,} of {tried:,} tried, {hung} by hanging; {possible:,} possible)"
        met = percent >= self.least and all(one.tried for one in tallies)
        return Figure(f"{what}: changes that a test notices", f"≥ {self.least:g} %", reached, met)


class Campaign:
    """A pytest plugin: instead of running the tests once it runs them for each mutant."""

    def __init__(self, given: argparse.Namespace, servers: "Servers", scratch: Path) -> None:
        self._given = given
        self._servers = servers
        self._scratch = scratch
        self.done = False
        self._mutants = {str(path): mutants([path.resolve()]) for path in given.paths}
        self.score = Score(given.least, {path: Tally(len(found)) for path, found in self._mutants.items()})

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._items = {item.nodeid: item for item in session.items}
        self.score.tests = len(self._items)
        self._reach = self._baseline(session)
        order, queue, running = self._order(), list[Try](), list[Child]()
        end = time.monotonic() + self._given.seconds
        signal.signal(signal.SIGTERM, lambda *_: [tries.clear() for tries in (order, queue)])
        while running or ((queue or order) and time.monotonic() < end):
            while (queue or order) and len(running) < self._given.jobs and time.monotonic() < end:
                running.append(self._begin(queue.pop() if queue else self._try(order.pop(0))))
            time.sleep(0.01)
            for child in list(running):
                if (noticed := child.noticed()) is not None:
                    running.remove(child)
                    if following := self._judge(child, noticed):
                        queue.append(following)
        self.done = True
        return True

    def _order(self) -> list[Mutant]:
        """One of each path in turn, each path in random order."""
        chance = random.Random(self._given.seed)
        shuffled = [chance.sample(found, len(found)) for found in self._mutants.values()]
        return [one for one in chain.from_iterable(zip_longest(*shuffled)) if one is not None]

    def _try(self, mutant: Mutant) -> Try:
        compile(mutant.source(), str(mutant.path), "exec")  # one that is no code would be noticed
        return Try(mutant, tuple(test for test in self._reach.tests(mutant) if test not in self.score.left_out))

    def _begin(self, what: Try) -> Child:
        process = self._start(partial(self._meet, what))
        return Child(what, process, time.monotonic() + self._reach.patience(what.tests))

    def _judge(self, child: Child, noticed: bool) -> Try | None:
        """Count it, or say what must be tried to know what it means."""
        shutil.rmtree(self._scratch / str(child.process), ignore_errors=True)
        what, failed = child.what, self._failed(child.process)
        if what.control:
            self.score.controls += 1
            self._leave_out(dict.fromkeys(failed, "in a control"))
            if noticed:
                return self._try(what.mutant) if set(failed) & set(what.tests) else None
        elif noticed and not child.hung:
            places = [what.tests.index(test) + 1 for test in failed if test in what.tests]
            return Try(what.mutant, what.tests[: min(places, default=None)], control=True)
        self._count(what.mutant, alive=not (noticed or what.control), hung=child.hung)
        return None

    def _failed(self, process: int) -> list[str]:
        """The tests that failed in this child, as it wrote them down."""
        told = self._scratch / f"{process}.failed"
        failed = told.read_text().splitlines() if told.exists() else []
        told.unlink(missing_ok=True)
        return failed

    def _leave_out(self, failed: Mapping[str, str]) -> None:
        for test, why in failed.items():
            self.score.left_out.add(test)
            say(f"fails without any change: {test}: {why}")

    def _count(self, mutant: Mutant, *, alive: bool, hung: bool) -> None:
        path = next(path for path, found in self._mutants.items() if mutant in found)
        tally = self.score.paths[path]
        tally.tried += 1
        tally.hung += hung
        tally.alive += alive
        if alive:
            say(f"survived: {mutant}")
        if sum(one.tried for one in self.score.paths.values()) % 100 == 0:
            say(f"{self.score.percent:.1f} % so far")

    def _baseline(self, session: pytest.Session) -> Reach:
        """Run all tests once, shared among the jobs file by file; those that fail are told and left out."""
        files = sorted({item.path for item in session.items})
        parts = [
            [item for item in session.items if files.index(item.path) % self._given.jobs == at]
            for at in range(min(self._given.jobs, len(files)))
        ]
        places = [self._scratch / f"baseline-{at}" for at in range(len(parts))]
        at_work = [self._start(partial(self._measure, *one)) for one in zip(parts, places, strict=True)]
        for process in at_work:
            os.waitpid(process, 0)
        reach = Reach.read(places)
        absent = sorted(self._items.keys() - reach.seconds.keys())
        self._leave_out({test: reach.failed.get(test, "it was not run") for test in absent})
        return reach

    def _measure(self, items: Sequence[pytest.Item], place: Path) -> bool:
        """In a child: which test runs what, and how long it takes if it passes."""
        sources = [str(path if path.is_dir() else path.parent) for path in self._given.paths]
        measured = coverage.Coverage(
            data_file=f"{place}.lines", source=sources, config_file=str(ROOT / "pyproject.toml")
        )
        watch = Watch(measured)
        with measured.collect():
            self._run(items, watch, to_the_end=True)
        measured.save()
        watch.write(place)
        return False

    def _start(self, work: Callable[[], bool]) -> int:
        """Do it in a child with a folder of its own; its status is 1 when a test failed."""
        child = os.fork()
        if child:
            return child
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        status = 1
        with contextlib.suppress(BaseException):
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
            self._servers.count_on()
            status = int(work())
        os._exit(status)

    def _meet(self, what: Try) -> bool:
        """Whether one of its tests notices."""
        watch = Watch()
        if found := loaded(what.mutant):
            for function, code in found if not what.control else ():
                function.__code__ = code
            self._run([self._items[test] for test in what.tests], watch)
            status = pytest.ExitCode.TESTS_FAILED if watch.failed else pytest.ExitCode.OK
        else:
            forget_ours()
            if not what.control:
                sys.meta_path.insert(0, Hook(what.mutant))
            options = [*QUIET, "-x", f"--basetemp={self._scratch / str(os.getpid())}"]
            status = pytest.ExitCode(pytest.main([*options, *what.tests], plugins=[watch]))
        (self._scratch / f"{os.getpid()}.failed").write_text("\n".join(watch.failed))
        return status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)

    def _run(self, items: Sequence[pytest.Item], watch: Watch, *, to_the_end: bool = False) -> None:
        """Until one fails, unless all are wanted."""
        if not items:
            return
        config = items[0].config
        # pytest has no public way to another folder after its start
        config._tmp_path_factory._given_basetemp = self._scratch / str(os.getpid())  # type: ignore[attr-defined]
        config.pluginmanager.unregister(name="terminalreporter")
        config.pluginmanager.register(watch)
        for item, following in zip(items, [*items[1:], None], strict=True):
            config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if watch.failed and not to_the_end:
                return


class Servers:
    """PostgreSQL and OpenBao for every forked process, each with names of its own."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._servers = [shared(stack, bao, {})]
        if postgres.binaries():
            self._servers.append(shared(stack, postgres, {"segment": 1}))

    def count_on(self) -> None:
        """In a child: names that no other uses."""
        for server in self._servers:
            server._count = os.getpid() * 10_000


def shared(stack: contextlib.ExitStack, module: Any, as_tests_ask: Mapping[str, Any]) -> Any:
    """A server that whoever asks for it as most tests do has from now on; anybody else has one of their own."""
    start = module.running
    server = stack.enter_context(start(**as_tests_ask))

    def running(*options: Any, **more: Any) -> contextlib.AbstractContextManager[Any]:
        same = not options and more in ({}, as_tests_ask)
        return contextlib.nullcontext(server) if same else start(*options, **more)

    stack.enter_context(mock.patch.object(module, "running", running))
    return server


def forget_ours() -> None:
    """Import our own modules anew; libraries stay, and the servers."""
    for module in list(sys.modules):
        if module.partition(".")[0] in OURS and module not in KEPT and not module.startswith("tests.prove"):
            del sys.modules[module]


def say(line: str) -> None:
    """Past pytest, which keeps what is printed to itself."""
    print(line, file=sys.__stdout__, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Mutation score of some modules under some tests.")
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--tests", nargs="+", required=True)
    parser.add_argument("--seconds", type=float, default=600.0, help="after which no new mutant is tried")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="mutants at a time")
    parser.add_argument("--least", type=float, default=0.0, help="exit with status 1 below this percentage")
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    given = parser.parse_args()
    os.chdir(ROOT)
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mutation-", dir=SCRATCH)))
        campaign = Campaign(given, Servers(stack), scratch)
        status = pytest.main([*QUIET, "-m", "not serial and not browser", *given.tests], plugins=[campaign])
    if not campaign.done:
        sys.exit(f"pytest did not come to an end: {status!r}")
    text = table(campaign.score.figures(), given.seed)
    print(f"\n{text}\n")
    if given.write:
        README.write_text(written(README.read_text(), "mutation", text))
    sys.exit(campaign.score.percent < given.least)


if __name__ == "__main__":
    main()
