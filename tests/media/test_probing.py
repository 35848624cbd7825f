"""A line is tried for a moment, and only what was answered counts."""

import pytest

from media.session.probing import Probing

RATE = 600_000.0


def planned(turn: float = 10.0, goal: float = 2_000_000) -> Probing:
    probing = Probing()
    probing.plan(turn, turn, RATE, RATE / 2, goal)
    return probing


def send(probing: Probing, start: float, share: float = 1.0) -> int:
    """Packets of padding until a second later."""
    sent = 0
    for tick in range(50):
        packets = probing.packets(start + tick * 0.020)
        probing.padded(round(packets * share))
        sent += packets
    return sent


def test_padding_fills_up_to_twice_the_rate_for_less_than_half_a_second_before_the_next_turn() -> None:
    probing = planned()
    assert probing.packets(10.6) == 0
    octets = 300 * send(probing, 10.0)
    assert octets == pytest.approx((2 * RATE - RATE / 2) * 0.3 / 8, rel=0.08)
    assert probing.packets(11.0) == 0


def test_what_was_answered_is_found_and_the_next_one_tries_twice_as_much() -> None:
    probing = planned()
    send(probing, 10.0)
    assert probing.listening(11.1)
    probing.answered(10.0)
    assert probing.found(11.2) == 0, "that report was from before"
    probing.answered(11.0)
    assert not probing.listening(11.2)
    assert probing.found(11.2) == 2 * RATE
    assert probing.found(11.3) == 0
    probing.plan(12.0, 12.0, 2 * RATE, RATE, 10 * RATE)
    send(probing, 12.0)
    probing.answered(13.0)
    assert probing.found(13.2) == 4 * RATE


def test_no_more_is_tried_than_there_is_to_send() -> None:
    probing = planned(goal=800_000)
    send(probing, 10.0)
    probing.answered(11.0)
    assert probing.found(11.1) == 800_000
    assert not send(planned(goal=620_000), 10.0), "not worth it"


def test_after_one_that_was_too_much_there_is_a_wait_and_little_is_tried() -> None:
    probing = planned()
    send(probing, 10.0)
    probing.failed(11.2)
    assert probing.found(12.0) == 0
    probing.plan(14.0, 14.0, RATE, RATE, 10 * RATE)
    assert not send(probing, 14.0)
    probing.plan(16.0, 16.0, RATE, RATE, 10 * RATE)
    assert 300 * send(probing, 16.0) == pytest.approx(0.25 * RATE * 0.3 / 8, rel=0.2)
    probing.failed(17.2)
    probing.plan(24.0, 24.0, RATE, RATE, 10 * RATE)
    assert not send(probing, 24.0), "a second time, longer"
    probing.plan(26.0, 26.0, RATE, RATE, 10 * RATE)
    assert send(probing, 26.0)


def test_what_was_found_and_proved_wrong_is_not_tried_again_soon() -> None:
    probing = planned()
    send(probing, 10.0)
    probing.answered(11.0)
    probing.found(11.2)
    probing.failed(14.0)
    probing.plan(25.0, 25.0, RATE, RATE, 10 * RATE)
    assert not send(probing, 25.0)
    probing.plan(27.0, 27.0, RATE, RATE, 10 * RATE)
    assert send(probing, 27.0)


def test_one_that_nobody_answers_or_that_was_not_sent_proves_nothing() -> None:
    silent, halved, refused = planned(), planned(), planned()
    send(silent, 10.0)
    assert silent.found(13.0) == 0
    assert silent.found(14.1) == 0
    silent.plan(15.0, 15.0, RATE, RATE, 10 * RATE)
    assert send(silent, 15.0), "it is tried again"
    send(halved, 10.0, share=0.5)
    halved.answered(11.0)
    assert halved.found(11.2) == 0
    assert not halved.refused
    send(refused, 10.0, share=0.0)
    refused.answered(11.0)
    assert refused.found(11.2) == 0
    assert refused.refused


def test_what_is_planned_late_in_a_turn_waits_for_the_next() -> None:
    probing = Probing()
    probing.plan(10.0, 10.9, RATE, RATE / 2, 10 * RATE)
    assert not send(probing, 10.0)
