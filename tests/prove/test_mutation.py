"""Whether the mutation score means what it says."""

import ast
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.prove.__main__ import README, written
from tests.prove.mutants import loaded, mutants
from tests.prove.mutation import Score, Tally, shared
from tests.prove.reach import OF_TABLES, Reach

SOURCE = '''
LIMIT = 3
LOCK = 0x77  # PostgreSQL advisory lock


def within(value: int, limit: int = LIMIT) -> bool:
    """A docstring of 1 + 1."""
    logger.info("said", extra={"count": value + 1})
    if value > limit:
        return False
    return value < LIMIT
'''


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "within.py"
    path.write_text(SOURCE)
    return path


def test_what_changes_and_what_is_left_alone(source: Path) -> None:
    assert [(one.line, one.change) for one in mutants([source])] == [
        (2, "3 to 4"),
        (9, "if not"),
        (9, "Gt to GtE"),
        (10, "False to True"),
        (11, "return None"),
        (11, "Lt to LtE"),
    ]


def test_every_change_is_code_and_makes_a_difference(source: Path) -> None:
    changed = {ast.unparse(one.source()) for one in mutants([source])}
    assert len(changed) == 6
    assert ast.unparse(ast.parse(SOURCE)) not in changed
    for code in changed:
        compile(code, "", "exec")


def test_a_change_meets_the_tests_that_run_it_or_name_it(source: Path) -> None:
    found = mutants([source])
    reach = Reach(
        {(str(source), 6): {"both", "slow"}, (str(source), 10): {"one"}, (str(source), 11): {"both", "unknown"}},
        {"one": 0.1, "both": 0.2, "slow": 99.0},
    )
    assert reach.tests(found[0]) == ["both"], "a constant: whoever runs a line that names it, quickest first"
    assert reach.tests(found[3]) == ["one"]
    assert reach.tests(found[1]) == ["one", "both"], "nobody runs it: all that run anything of the file"
    tables = replace(reach, seconds={**reach.seconds, OF_TABLES: 0.3})
    assert tables.tests(found[1]) == [OF_TABLES, "one", "both"], "and whoever looks at what it makes"


def test_what_runs_at_import_is_not_in_memory(source: Path) -> None:
    assert loaded(mutants([source])[0]) == []


def score(*tallies: Tally) -> Score:
    return Score(85, {str(number): tally for number, tally in enumerate(tallies)})


def test_each_path_counts_by_its_size_not_by_how_many_were_tried() -> None:
    one = score(Tally(possible=900, tried=10, alive=2), Tally(possible=100, tried=100, alive=0, hung=3))
    assert round(one.percent, 1) == 82.0
    small, whole = one.figures()[1:3]
    assert (small.met, whole.met) == (True, False)
    assert small.reached == "100.0 % (100 of 100 tried, 3 by hanging; 100 possible)"


def test_a_path_of_which_nothing_was_tried_is_not_met() -> None:
    one = score(Tally(possible=1, tried=1), Tally(possible=1))
    assert [figure.met for figure in one.figures()[:3]] == [True, False, False]


@pytest.mark.parametrize(("left_out", "met"), [(10, True), (11, False)])
def test_a_score_without_many_tests_is_none(left_out: int, *, met: bool) -> None:
    whole = score(Tally(10, 10, 0))
    whole.tests, whole.left_out = 1000, {str(number) for number in range(left_out)}
    assert whole.figures()[-1].met is met


def test_a_server_is_shared_as_the_tests_ask_for_it() -> None:
    @contextmanager
    def start(**_: Any) -> Iterator[object]:
        yield object()

    module = SimpleNamespace(running=start)
    with ExitStack() as stack:
        server = shared(stack, module, {"segment": 1})
        for asked, same in (({}, True), ({"segment": 1}, True), ({"flushes": True}, False)):
            with module.running(**asked) as found:
                assert (found is server) is same
    assert module.running is start


def test_the_table_has_its_place() -> None:
    assert written(README.read_text(), "mutation", "| new |").count("| new |") == 1
