"""The measurement of signaling, so small that only whether it measures can be seen, not how quick anything is."""

import shutil
from pathlib import Path

import pytest

from bench.load import cluster
from bench.load.crowd import percentile
from bench.signaling import Load, table

pytestmark = pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")
SMALL = Load(returning=6, waiting=6, seconds=0.3, asking=2, warm_up=2, pinged=0.1, storm=0.2)


async def test_a_small_crowd_drops_returns_joins_and_waits(tmp_path: Path) -> None:
    async with cluster.alone(tmp_path, appointments=6) as running:
        rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in await table(running, SMALL)]
    assert [row[0].split(":")[0].split(",")[0] for row in rows] == [
        "6 clients drop and return within 0.2 s",
        "6 clients drop and return within 0.2 s",
        "join requests on one node",
        "signaling round trip with 6 waiting sockets",
        "memory per connected socket that waits",
    ]
    assert rows[1][2] == "0 in 6 clients"
    assert int(rows[2][2].split()[0]) > 0
    assert "0 connections lost meanwhile" in rows[3][2]
    assert "late (p99)" in rows[3][2]


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([], 0.99) == 0
    assert percentile([3.0], 0.99) == 3
    assert percentile([float(number) for number in range(100, 0, -1)], 0.99) == 100
    assert percentile([float(number) for number in range(200, 0, -1)], 0.5) == 101
