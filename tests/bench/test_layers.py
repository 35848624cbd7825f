"""What viewers of one sender get, each on a line of its own: the best that fits, whoever else looks."""

from bench.layers import watched


async def test_a_thin_line_has_the_smallest_layer_and_a_wide_one_the_largest() -> None:
    seconds = 20.0
    (thin, wide), start = watched([200_000, 5_000_000], seconds)
    ends = [viewer.lines_over_time(start + seconds, start)[-4:-1] for viewer in (thin, wide)]
    assert [{lines for _, lines in end} for end in ends] == [{180}, {720}]
    assert (
        0 < thin.rate(start + seconds / 2, start + seconds) < 200_000 < wide.rate(start + seconds / 2, start + seconds)
    )
    assert wide.line.dropped == 0
