"""Mutation: change the code in one small place after another and see whether a test notices.

    python -m tests.prove.mutation rooms/keys --tests tests/rooms/test_key_store.py tests/rooms/test_bao.py

The tests run once under coverage, so that each mutant meets only tests that reach its line, quickest first. A mutant
lives in a forked process, through an import hook: no file is ever changed, and servers that the tests need (PostgreSQL,
OpenBao) are started once for all. Stops after ``--seconds``; what was tried until then is a random sample. Prints the
score and every survivor.
"""

import argparse
import ast
import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import coverage
import pytest

from tests.rooms import bao, postgres

ROOT = Path(__file__).parents[2]
OURS = ("rooms", "signaling", "tests", "web", "media", "turn")
KEPT = {"tests", "tests.rooms", "tests.prove", "tests.rooms.bao", "tests.rooms.postgres", "__main__"}
QUIET = ["-q", "--no-header", "--no-summary", "-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:xdist"]
FIRST = 60  # tests, the quickest, that a mutant meets before all others
PATIENCE = 300  # seconds for one mutant

COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.Div: ast.Mult,
}


@dataclass(frozen=True)
class Mutant:
    """One change: the ``variant``-th of the ``number``-th node of a file."""

    path: Path
    line: int
    number: int
    variant: int
    change: str

    def source(self) -> ast.Module:
        """The changed module."""
        tree = ast.parse(self.path.read_text())
        Mutator(self).visit(tree)
        return ast.fix_missing_locations(tree)

    def __str__(self) -> str:
        text = self.path.read_text().splitlines()[self.line - 1].strip()
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.change}: {text}"


def variants(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What this node could be instead."""
    match node:
        case ast.Compare(left, [operator], comparators) if type(operator) in COMPARE:
            other = COMPARE[type(operator)]
            yield f"{name(operator)} to {other.__name__}", ast.Compare(left, [other()], comparators)
        case ast.BoolOp(operator, values):
            flipped = ast.Or() if isinstance(operator, ast.And) else ast.And()
            yield f"{name(operator)} to {name(flipped)}", ast.BoolOp(flipped, values)
        case ast.UnaryOp(ast.Not(), operand):
            yield "without not", operand
        case ast.BinOp(left, operator, right) if type(operator) in ARITHMETIC:
            swapped = ARITHMETIC[type(operator)]
            yield f"{name(operator)} to {swapped.__name__}", ast.BinOp(left, swapped(), right)
        case ast.Constant(bool(value)):
            yield f"{value} to {not value}", ast.Constant(not value)
        case ast.Constant(int(value) | float(value)):
            yield f"{value} to {value + 1}", ast.Constant(value + 1)
        case ast.If(test, body, otherwise):
            yield "if not", ast.If(ast.UnaryOp(ast.Not(), test), body, otherwise)
        case ast.IfExp(test, body, otherwise):  # type: ignore[misc]
            yield "the other of two", ast.IfExp(ast.UnaryOp(ast.Not(), test), body, otherwise)  # type: ignore[arg-type]
        case ast.Return(ast.expr() as value) if not is_none(value):
            yield "return None", ast.Return(ast.Constant(None))
        case ast.Expr(ast.Call() | ast.Await()) | ast.Raise():
            yield "left out", ast.Pass()


def name(node: ast.AST) -> str:
    return type(node).__name__


def is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def is_left_alone(node: ast.AST) -> bool:
    """What tells people something or is there for the type checker."""
    match node:
        case ast.Expr(ast.Constant()) | ast.AnnAssign(value=None) | ast.Import() | ast.ImportFrom():
            return True
        case ast.Expr(ast.Call(ast.Attribute(ast.Name("logger")))):
            return True
        case ast.ClassDef(bases=bases):
            return any(isinstance(base, ast.Name) and base.id == "Protocol" for base in bases)
    return False


class Mutator(ast.NodeTransformer):
    """Numbers the nodes that could be changed; changes the one that is wanted."""

    def __init__(self, wanted: Mutant | None = None, path: Path | None = None) -> None:
        self.found: list[Mutant] = []
        self._wanted = wanted
        self._path = path
        self._number = 0

    def visit(self, node: ast.AST) -> Any:
        if is_left_alone(node):
            return node
        self._number += 1
        number = self._number
        for field in ("annotation", "returns", "decorator_list"):
            if hasattr(node, field):
                setattr(node, field, [] if field == "decorator_list" and self._wanted is None else getattr(node, field))
        changes = list(variants(node))
        if self._path is not None:
            line = getattr(node, "lineno", 0)
            self.found += [Mutant(self._path, line, number, at, text) for at, (text, _) in enumerate(changes)]
        skipped = {id(part) for field in ("annotation", "returns") if (part := getattr(node, field, None))}
        for field, value in ast.iter_fields(node):
            if field == "decorator_list":
                continue
            if isinstance(value, list):
                value[:] = [self.visit(part) if isinstance(part, ast.AST) else part for part in value]
            elif isinstance(value, ast.AST) and id(value) not in skipped:
                setattr(node, field, self.visit(value))
        if self._wanted is not None and number == self._wanted.number:
            return list(variants(node))[self._wanted.variant][1]
        return node


def mutants(paths: Sequence[Path]) -> list[Mutant]:
    """All there are."""
    found = []
    for path in sorted(file for place in paths for file in ([place] if place.is_file() else place.rglob("*.py"))):
        numbering = Mutator(path=path)
        numbering.visit(ast.parse(path.read_text()))
        found += numbering.found
    return found


class Hook(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from its changed source."""

    def __init__(self, mutant: Mutant) -> None:
        relative = mutant.path.relative_to(ROOT).with_suffix("")
        self._module = ".".join(relative.parts).removesuffix(".__init__")
        self._mutant = mutant

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._module:
            return None
        return importlib.util.spec_from_file_location(fullname, self._mutant.path, loader=self)  # type: ignore[arg-type]

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._mutant.source(), str(self._mutant.path), "exec"), module.__dict__)


class Timing:
    """Remembers how long each test took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration


class Servers:
    """PostgreSQL and OpenBao for every forked process, each with names of its own."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._postgres = stack.enter_context(postgres.running()) if postgres.binaries() else None
        self._bao = stack.enter_context(bao.running())

    def lend(self) -> None:
        """In a child: what would start a server uses these."""
        for module, server in ((postgres, self._postgres), (bao, self._bao)):
            if server is not None:
                server._count = os.getpid() * 10_000
                module.running = lambda *options, of=server, plain=module.running: (  # type: ignore[attr-defined]
                    plain(*options) if options else contextlib.nullcontext(of)
                )


def forget_ours() -> None:
    """Import our own modules anew; libraries stay."""
    for module in list(sys.modules):
        if module.partition(".")[0] in OURS and module not in KEPT and not module.startswith("tests.prove"):
            del sys.modules[module]


def baseline(tests: Sequence[str], sources: Sequence[Path], servers: Servers) -> dict[tuple[str, int], list[str]]:
    """Which tests reach which line, quickest first; ends the program when a test fails without any mutant."""
    with tempfile.TemporaryDirectory() as folder:
        data, times = Path(folder, "coverage"), Path(folder, "times")
        child = os.fork()
        if child == 0:
            servers.lend()
            forget_ours()
            measured = coverage.Coverage(data_file=str(data), source=[str(path) for path in sources], config_file=False)
            timing = Timing()
            plugin = Contexts(measured)
            with measured.collect():
                status = pytest.main([*QUIET, *tests], plugins=[timing, plugin])
            measured.save()
            times.write_text("\n".join(f"{seconds} {test}" for test, seconds in timing.seconds.items()))
            os._exit(int(status))
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
            sys.exit("The tests fail as it is.")
        seconds = {line.split(" ", 1)[1]: float(line.split(" ", 1)[0]) for line in times.read_text().splitlines()}
        reach: dict[tuple[str, int], list[str]] = {}
        found = coverage.CoverageData(str(data))
        found.read()
        for file in found.measured_files():
            for line, contexts in found.contexts_by_lineno(file).items():
                known = [test for test in contexts if test in seconds] or list(seconds)
                reach[file, line] = sorted(known, key=lambda test: seconds[test])
        return reach


class Contexts:
    """Tells coverage which test is running."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self._measured = measured

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._measured.switch_context(item.nodeid)
        return (yield)


def parts(tests: Sequence[str]) -> Iterator[Sequence[str]]:
    """The quickest tests, then the others."""
    yield from (part for part in (tests[:FIRST], tests[FIRST:]) if part)


def survives(mutant: Mutant, tests: Sequence[str], servers: Servers) -> bool:
    """Whether no test notices; one that hangs is noticed."""
    child = os.fork()
    if child == 0:
        os.setsid()
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        servers.lend()
        forget_ours()
        sys.meta_path.insert(0, Hook(mutant))
        status = 3
        with contextlib.suppress(BaseException):
            status = int(pytest.main([*QUIET, "-x", *tests]))
        os._exit(status)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description="Mutation score of some modules under some tests.")
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--tests", nargs="+", required=True)
    parser.add_argument("--seconds", type=float, default=600.0, help="after which no new mutant is tried")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--least", type=float, default=0.0, help="exit with status 1 below this percentage")
    given = parser.parse_args()
    os.chdir(ROOT)
    paths = [path.resolve() for path in given.paths]
    with contextlib.ExitStack() as stack:
        servers = Servers(stack)
        reach = baseline(given.tests, [path if path.is_dir() else path.parent for path in paths], servers)
        everything = mutants(paths)
        order = random.Random(given.seed).sample(everything, len(everything))
        start, tried, alive = time.monotonic(), 0, []
        for mutant in order:
            if time.monotonic() - start > given.seconds:
                break
            tried += 1
            reaching = reach.get((str(mutant.path), mutant.line), [])
            if all(survives(mutant, part, servers) for part in parts(reaching)):
                alive.append(mutant)
                print(f"survived: {mutant}", flush=True)
    score = 100 * (tried - len(alive)) / max(tried, 1)
    print(f"mutation: {tried - len(alive)} of {tried} noticed ({len(everything)} possible), score {score:.1f} %")
    sys.exit(score < given.least)


if __name__ == "__main__":
    main()
