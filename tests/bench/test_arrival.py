"""The measurement of an arrival, so small that only whether it measures can be seen, not how quick anything is."""

import shutil
from pathlib import Path

import pytest

from bench.arrival import figures, tries
from bench.load import cluster

pytestmark = pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")


async def test_a_press_is_shown_and_heard_at_the_desk(tmp_path: Path) -> None:
    async with cluster.alone(tmp_path, appointments=1) as running:
        found = await tries(running, 1)
    assert all(one[name] > 0 for one in found for name in ("shown", "heard"))
    assert [one.what for one in figures(found, 1)] == [
        "*join* pressed \u2192 the desk shows it, one node",
        "*join* pressed \u2192 it sounds, one node",
    ]


def test_a_figure_is_the_slow_end_and_says_whether_that_is_in_reach() -> None:
    quick, slow = {"shown": 100.0, "heard": 120.0}, {"shown": 600.0, "heard": 620.0}
    shown, heard = figures([quick] * 39 + [slow], 2)
    assert (shown.met, heard.met) == (True, True), "one of forty is beyond the 95th"
    assert not figures([quick] * 30 + [slow] * 10, 2)[0].met
    assert "median 100, slowest 600" in shown.reached
