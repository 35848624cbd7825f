"""What viewers of one sender get, each on a line of its own: the best that fits, whoever else looks."""

from bench.layers import watched
from bench.twelve import table


async def test_a_thin_line_has_the_smallest_layer_and_a_wide_one_the_largest() -> None:
    seconds = 20.0
    (thin, wide), start = watched([200_000, 5_000_000], seconds)
    ends = [viewer.lines_over_time(start + seconds, start)[-4:-1] for viewer in (thin, wide)]
    assert [{lines for _, lines in end} for end in ends] == [{180}, {720}]
    assert (
        0 < thin.rate(start + seconds / 2, start + seconds) < 200_000 < wide.rate(start + seconds / 2, start + seconds)
    )
    assert wide.line.dropped == 0


def test_the_table_of_the_twelfth_holds_medians_to_what_was_to_be_reached() -> None:
    arrivals = [{"joined": 900.0 + late, "admitted": 700.0, "connected": 400.0 + late} for late in (0, 300, 200)]
    rows = [line for line in table(arrivals).splitlines() if "≤" in line]
    assert [row.split("|")[3].strip() for row in rows] == [
        "1100 ms (900 to 1200)",
        "700 ms",
        "600 ms (400 to 700)",
    ]
    assert [row.split("|")[4].strip() for row in rows] == ["yes", "yes", "**no**"]
