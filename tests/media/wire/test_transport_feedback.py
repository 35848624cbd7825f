"""Transport-wide feedback: what arrived, and when, survives the way there and back."""

from struct import pack

from hypothesis import given
from hypothesis import strategies as st

from media.wire.rtcp import MAX_FEEDBACK_BYTES, TransportFeedback, parse, transport_feedback

TICK = 250
REFERENCE = 64_000


def received(packets: list[bytes]) -> dict[int, int]:
    """Sequence number → microseconds, modulo the 24-bit reference time."""
    times: dict[int, int] = {}
    for data in packets:
        [feedback] = parse(data)
        assert isinstance(feedback, TransportFeedback)
        for offset, time in enumerate(feedback.arrivals):
            if time is not None:
                times[feedback.base + offset & 0xFFFF] = feedback.reference * REFERENCE + time
    return times


@given(
    st.integers(0, 65535),
    st.integers(0, 2**23 * REFERENCE - 2**40 // REFERENCE),
    st.lists(st.tuples(st.integers(1, 400), st.integers(-20_000, 300_000)), max_size=300),
)
def test_every_arrival_comes_back_to_a_quarter_of_a_millisecond(
    first: int, start: int, steps: list[tuple[int, int]]
) -> None:
    arrivals = [(first, start)]
    for gap, delta in steps:
        if sum(step for step, _ in steps[: len(arrivals)]) > 30_000:
            break
        sequence, time = arrivals[-1]
        arrivals.append((sequence + gap & 0xFFFF, max(0, time + delta)))
    packets = transport_feedback(1, 2, 0, arrivals)
    times = received(packets)
    period = 2**24 * REFERENCE
    for sequence, time in arrivals:
        assert (times[sequence] - time // TICK * TICK) % period == 0
    assert len(times) == len(arrivals)
    assert all(len(data) <= MAX_FEEDBACK_BYTES and len(data) % 4 == 0 for data in packets)


def test_a_known_feedback_is_built_byte_for_byte() -> None:
    """From 0xFFFF and 2 · 64 ms on: one after 1 ms, one missing, one 0.5 ms before the first (draft, 3.1)."""
    arrivals = [(0xFFFF, 2 * REFERENCE + 1_000), (1, 2 * REFERENCE + 500)]
    expected = "afcd0006 00000001 00000002 ffff0003 00000209 d200" + "04" + "fffe" + "000003"
    assert transport_feedback(1, 2, 9, arrivals) == [bytes.fromhex(expected)]


def test_order_and_repetition_do_not_matter() -> None:
    ordered = [(65_534, 1_000), (65_535, 2_000), (0, 3_000), (5, 9_000)]
    shuffled = [ordered[2], ordered[0], ordered[3], ordered[1], (0, 99_000)]
    assert transport_feedback(1, 2, 0, shuffled) == transport_feedback(1, 2, 0, ordered)
    assert transport_feedback(1, 2, 0, []) == []


def test_a_pause_longer_than_a_delta_can_say_starts_another_feedback() -> None:
    packets = transport_feedback(1, 2, 255, [(1, 0), (2, 8_000_000), (3, 17_000_000)])
    counts = [feedback.count for data in packets for feedback in parse(data) if isinstance(feedback, TransportFeedback)]
    assert counts == [255, 0]
    assert received(packets) == {1: 0, 2: 8_000_000, 3: 17_000_000}


def test_run_lengths_and_one_bit_vectors_of_other_senders_are_read() -> None:
    """Four small deltas as a run, then a one-bit vector of 14 with two received."""
    body = pack("!IIHHI", 1, 2, 100, 18, 5 << 8 | 1) + pack("!HH", 0x2004, 0x8000 | 1 << 13 | 1) + bytes([4] * 6)
    data = pack("!BBH", 0x8F, 205, (len(body) + 2) // 4) + body + bytes(2)
    [feedback] = parse(data)
    assert isinstance(feedback, TransportFeedback)
    assert (feedback.base, feedback.reference, feedback.count) == (100, 5, 1)
    assert feedback.arrivals == [1000, 2000, 3000, 4000, 5000, *[None] * 12, 6000]


def test_a_feedback_that_promises_more_than_it_holds_is_passed_over() -> None:
    for chunk in (0x0000, 0x3FFF, 0x7FFF, 0xFFFF, 0x2010):
        body = pack("!IIHHIH", 1, 2, 0, 65_535, 0, chunk) + bytes(2)
        assert parse(pack("!BBH", 0x8F, 205, len(body) // 4) + body) == []
