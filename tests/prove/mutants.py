"""Mutants: the code changed in one small place, put into the modules that are loaded or into those that will be."""

import ast
import gc
import importlib.abc
import importlib.machinery
import importlib.util
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

ROOT = Path(__file__).parents[2]
OPTIMIZED = 1  # inspect.CO_OPTIMIZED: what functions have and bodies of classes and modules have not
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar)
ANY_NUMBER = "# PostgreSQL advisory lock"
"""Stands beside numbers that may be any, as long as all processes have the same: no mutants of these."""

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
    """One change: the ``variant``-th of the ``number``-th node of a file.

    Whoever runs one of ``lines`` may notice it: the lines of its statement, of its function for what stands in the
    signature, of all that names it for a constant.
    """

    path: Path
    line: int
    number: int
    variant: int
    change: str
    lines: tuple[int, ...] = ()

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
        case ast.IfExp(test, body, otherwise):
            yield "the other of two", ast.IfExp(ast.UnaryOp(ast.Not(), test), body, otherwise)
        case ast.Return(ast.expr() as value) if not is_none(value) and not is_false(value):
            yield "return None", ast.Return(ast.Constant(None))
        case ast.Expr(ast.Call() | ast.Await()) | ast.Raise():
            yield "left out", ast.Pass()


def name(node: ast.AST) -> str:
    return type(node).__name__


def is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def is_false(node: ast.AST) -> bool:
    """None says the same to whoever asks for yes or no; True, which is tried too, does not."""
    return isinstance(node, ast.Constant) and node.value is False


def reached_by(node: ast.AST, outer: tuple[int, ...], uses: Mapping[str, set[int]]) -> tuple[int, ...]:
    """The lines whose running can show a change of this node; ``outer`` for what is no statement."""
    match node:
        case ast.FunctionDef(lineno=first, end_lineno=last) | ast.AsyncFunctionDef(lineno=first, end_lineno=last):
            return tuple(range(first, (last or first) + 1))
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)) if not outer:
            return tuple(sorted(uses.get(name, ())))
        case ast.Module() | ast.ClassDef():
            return ()
        case ast.Match(lineno=first, subject=subject):
            return tuple(range(first, (subject.end_lineno or first) + 1))
        case ast.stmt(lineno=first) if isinstance(node, BLOCKS):
            return tuple(range(first, max(node.body[0].lineno, first + 1)))
        case ast.stmt(lineno=first, end_lineno=last):
            return tuple(range(first, (last or first) + 1))
    return outer


def used(tree: ast.Module) -> dict[str, set[int]]:
    """On which lines each name is read."""
    uses: dict[str, set[int]] = defaultdict(set)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            uses[node.id].add(node.lineno)
    return uses


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

    def __init__(
        self, wanted: Mutant | None = None, path: Path | None = None, uses: Mapping[str, set[int]] | None = None
    ) -> None:
        self.found: list[Mutant] = []
        self._wanted = wanted
        self._path = path
        self._uses = uses or {}
        self._lines: tuple[int, ...] = ()
        self._number = 0

    def visit(self, node: ast.AST) -> Any:
        if is_left_alone(node):
            return node
        self._number += 1
        number, outer = self._number, self._lines
        self._lines = reached_by(node, outer, self._uses)
        for field in ("annotation", "returns", "decorator_list"):
            if hasattr(node, field):
                setattr(node, field, [] if field == "decorator_list" and self._wanted is None else getattr(node, field))
        changes = list(variants(node))
        if self._path is not None:
            line = getattr(node, "lineno", 0)
            self.found += [
                Mutant(self._path, line, number, at, text, self._lines) for at, (text, _) in enumerate(changes)
            ]
        skipped = {id(part) for field in ("annotation", "returns") if (part := getattr(node, field, None))}
        for field, value in ast.iter_fields(node):
            if field == "decorator_list":
                continue
            if isinstance(value, list):
                value[:] = [self.visit(part) if isinstance(part, ast.AST) else part for part in value]
            elif isinstance(value, ast.AST) and id(value) not in skipped:
                setattr(node, field, self.visit(value))
        self._lines = outer
        if self._wanted is not None and number == self._wanted.number:
            return list(variants(node))[self._wanted.variant][1]
        return node


def mutants(paths: Sequence[Path]) -> list[Mutant]:
    """All there are; none of migrations, which Alembic reads anew from files that we do not change."""
    found = []
    for path in sorted(file for place in paths for file in ([place] if place.is_file() else place.rglob("*.py"))):
        if "migrations" in path.parts:
            continue
        text = path.read_text()
        tree, lines = ast.parse(text), text.splitlines()
        numbering = Mutator(path=path, uses=used(tree))
        numbering.visit(tree)
        found += [one for one in numbering.found if ANY_NUMBER not in lines[one.line - 1]]
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
        return importlib.util.spec_from_file_location(fullname, self._mutant.path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._mutant.source(), str(self._mutant.path), "exec"), module.__dict__)


def functions(code: CodeType) -> Iterator[tuple[tuple[str, int], CodeType]]:
    """The functions of a module and of its classes by name and first line; not those inside functions."""
    for inner in (constant for constant in code.co_consts if isinstance(constant, CodeType)):
        if inner.co_flags & OPTIMIZED:
            yield (inner.co_qualname, inner.co_firstlineno), inner
        else:
            yield from functions(inner)


def loaded(mutant: Mutant) -> list[tuple[FunctionType, CodeType]]:
    """The functions in memory that it changes, with their new code; none when what changes runs at import."""
    file = str(mutant.path)
    plain = dict(functions(compile(ast.parse(mutant.path.read_text()), file, "exec")))
    changed = {key: code for key, code in functions(compile(mutant.source(), file, "exec")) if plain.get(key) != code}
    return [
        (one, changed[key])
        for one in (gc.get_objects() if changed else ())
        if isinstance(one, FunctionType) and one.__code__.co_filename == file
        if (key := (one.__code__.co_qualname, one.__code__.co_firstlineno)) in changed
    ]
