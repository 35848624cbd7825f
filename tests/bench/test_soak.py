"""What a soak says: a slope that is wrong, or a table that calls everything met, would prove anything."""

import math

from bench.load.resources import Held
from bench.soak import Sample, Soak, slope, table


def samples(node: int) -> list[Sample]:
    """A consult each 2 s, of which ``node`` KiB stay; the first minute costs more, as a start does."""
    return [Sample(at, at // 2, 100_000 + min(at, 60) * 500 + node * (at // 2), 60_000) for at in range(5, 605, 5)]


def test_the_slope_is_of_what_comes_after_the_start() -> None:
    assert math.isclose(slope(samples(7), "node"), 7, rel_tol=0.01)
    assert slope(samples(7), "worker") == 0
    assert math.isnan(slope([Sample(5, 3, 1, 1), Sample(10, 3, 2, 1)], "node"))


def test_the_table_says_what_is_not_met() -> None:
    soak = Soak(samples(50), ended=300, failed=["TimeoutError()"], left=2)
    soak.before, soak.after = Held(160_000, 40, 30), Held(190_000, 41, 30)
    rows = {line.split("|")[1].strip(): line for line in table(soak, 10, 300).splitlines() if line.startswith("| ")}
    assert rows["memory that a consult leaves in the node"].endswith("| 50.0 KiB | **no** |")
    assert rows["memory that a consult leaves in the media worker"].endswith("| 0.0 KiB | yes |")
    assert rows["tasks left"].endswith("| 0 | yes |")
    assert rows["descriptors left"].endswith("| 1 | **no** |")
    assert rows["rooms and peers left on the worker"].endswith("| 2 | **no** |")
    assert rows["consults that went wrong"].endswith("| 1 of 300 | **no** |")
