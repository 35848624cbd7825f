"""Dense numbers: what is left out leaves no gap, and every number finds its way back."""

from hypothesis import given
from hypothesis import strategies as st

from media.forwarding.numbering import Numbering


@given(st.integers(0, 65_535), st.lists(st.booleans(), min_size=1, max_size=200))
def test_what_is_forwarded_is_numbered_without_gaps_and_mapped_back(first: int, forwarded: list[bool]) -> None:
    numbering = Numbering()
    numbering.begin(first)
    dense: dict[int, int] = {}
    closed: list[int] = []
    for index, kept in enumerate(forwarded):
        number = numbering.extend(first + index & 0xFFFF)
        assert number == numbering.highest + 1
        numbering.highest = number
        if kept:
            dense[number] = number - numbering.shift
        else:
            numbering.close(number)
            closed.append(number)
    assert list(dense.values()) == list(range(len(dense)))
    for number, out in dense.items():
        assert numbering.dense(number) == out
        assert numbering.source_number(out) == number
    assert all(numbering.dense(number) is None for number in closed)


@given(st.integers(0, 65_535), st.integers(-32_000, 32_000))
def test_the_nearest_number_is_meant(first: int, distance: int) -> None:
    numbering = Numbering()
    numbering.begin(first)
    assert numbering.extend(first - 1 + distance & 0xFFFF) == numbering.highest + distance


def test_another_stream_goes_on_with_the_next_dense_number() -> None:
    numbering = Numbering()
    numbering.begin(65_000)
    numbering.highest += 10
    last = numbering.highest - numbering.shift
    numbering.begin(7)
    numbering.highest = numbering.extend(7)
    assert numbering.dense(numbering.highest) == last + 1


def test_as_many_gaps_as_there_may_be_are_remembered_and_no_more() -> None:
    numbering = Numbering()
    numbering.begin(0)
    for _ in range(10_000):
        numbering.highest += 1
        numbering.close(numbering.highest)
        numbering.highest += 1
    assert len(numbering._closed) <= 257
    assert numbering.dense(numbering.highest - 100) == 9_949
    assert numbering.source_number(9_949) == numbering.highest - 100
