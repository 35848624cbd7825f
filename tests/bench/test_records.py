"""The measurement of stored records, so small that only whether it measures can be seen."""

from pathlib import Path
from typing import Any

import pytest

from bench.records.figures import Row, Side, table
from bench.records.places import Build, Ground, Refused
from bench.records.store import Plan, week
from tests.earlier import ABSENT, RELEASE_0_1_0, ROOT, unpacked


async def test_both_builds_are_asked_about_the_same_rows(tmp_path: Path) -> None:
    tree = tmp_path / "0.1.0"
    if not unpacked(RELEASE_0_1_0, tree):
        pytest.skip(ABSENT)
    servers: Any = None
    ground = Ground(tmp_path, (Build("0.1.0", tree), Build("today", ROOT)), servers, servers, "")
    (row,) = await week(ground, Plan(0.01, 2, ["SQLite"]))
    assert [(len(side.values), side.refused) for side in row.sides()] == [(2, ""), (2, "")]
    assert row.met is None, "what is smaller than it should be meets nothing"


def test_a_row_has_median_and_range_of_both_and_says_what_failed() -> None:
    row = Row("sweep", "SQLite", "ms", 150, Side([4.0, 5.0, 9.0]), Side([0.05, 0.1, 0.2]))
    assert (
        row.line() == "| sweep | SQLite | 5,000 ms (4,000 to 9,000) | 100 ms (50.0 to 200) | 0.0200 | ≤ 150 ms | yes |"
    )
    row.older.take(Refused("try_again"))
    assert "| fails (try_again) | 100 ms (50.0 to 200) | - |" in row.line()
    slow = Row("joins", "PostgreSQL", "a second", 250, Side([84.0]), Side([249.0]))
    assert slow.line() == "| joins | PostgreSQL | 84.0 a second | 249 a second | 2.96 | ≥ 250 a second | **no** |"
    assert len(table([row, slow]).splitlines()) == 4
