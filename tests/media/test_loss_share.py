"""Of a sound that is lost on its way its sender is told so much that it writes error correction."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.forwarding.loss_share import LossShare, told
from media.wire import rtcp
from tests.media.client import Client
from tests.media.link import lossy
from tests.media.simulation import Simulation

Pair = tuple[Client, Client]
shares = st.floats(0, 1)


@given(shares, shares)
def test_what_is_told_is_a_share_no_smaller_than_what_is_lost_before_us(up: float, down: float) -> None:
    assert up <= told(up, down) + 1e-9 <= 1 + 1e-9


@given(shares)
def test_a_listener_that_says_all_is_lost_counts_as_one_that_loses_a_quarter(down: float) -> None:
    assert told(0.0, down) <= 0.25


def test_a_clean_line_is_told_to_be_clean_and_a_little_loss_as_a_fifth() -> None:
    assert told(0.0, 0.0) == 0.0
    assert told(0.01, 0.0) == pytest.approx(0.01)
    assert told(0.0, 0.02) == told(0.05, 0.05) == 0.20
    assert told(0.3, 0.0) == pytest.approx(0.3)


def test_a_share_forgets_and_says_nothing_of_a_handful() -> None:
    share = LossShare()
    share.count(5, 10, 0.0)
    assert share.value == 0.0
    share.count(5, 90, 1.0)
    assert share.value == pytest.approx(0.1, abs=0.01)
    for second in range(2, 60):
        share.count(0, 50, float(second))
    assert share.value < 0.001


def told_to(client: Client, ssrc: int) -> list[int]:
    return [
        block.fraction_lost
        for report in client.reports(rtcp.ReceiverReport)
        for block in report.reports
        if block.ssrc == ssrc
    ]


def listen(simulation: Simulation, listener: Client, kind: str, lost: int, seconds: int) -> None:
    """Report each second that ``lost`` of 50 packets did not come."""
    ssrc = listener.out_ssrcs(kind)[0]
    for second in range(1, seconds):
        block = rtcp.ReportBlock(ssrc, 0, lost * second, 1_000 + 50 * second, 0, 0, 0)
        report = partial(listener.transmit_rtcp, rtcp.receiver_report(1, [block]))
        simulation.at(simulation.now + second, report)


async def test_without_losses_nothing_is_told(simulation: Simulation, pair: Pair) -> None:
    alice, _ = pair
    alice.stream(5, audio=True)
    simulation.run(5.2)
    assert set(told_to(alice, 100)) == set(told_to(alice, 200)) == {0}


async def test_a_speaker_is_told_of_what_is_lost_before_us(simulation: Simulation, pair: Pair) -> None:
    alice, _ = pair
    alice.link.up = lossy(0.05, 1)
    alice.stream(8, audio=True)
    simulation.run(8.2)
    assert set(told_to(alice, 100)[3:]) == {51}
    assert max(told_to(alice, 200)) < 51, "of a picture, what was lost"


async def test_a_speaker_is_told_of_what_is_lost_behind_us(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    alice.stream(8, audio=True)
    listen(simulation, bob, "audio", 3, 8)
    listen(simulation, bob, "video", 20, 8)
    simulation.run(8.2)
    assert set(told_to(alice, 100)[4:]) == {51}
    assert set(told_to(alice, 200)) == {0}


async def test_one_listener_does_not_spoil_the_sound_of_all(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    alice.stream(8, audio=True)
    listen(simulation, bob, "audio", 50, 8)
    simulation.run(8.2)
    assert 51 <= max(told_to(alice, 100)) <= 64
