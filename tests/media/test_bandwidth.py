"""What a viewer can take caps the publisher; a fast viewer is not held back by an estimate that lags."""

import random
from collections.abc import Callable
from functools import partial

import pytest

from media.forwarding.slot import Slot
from media.session.bandwidth import Downlink, Rate
from media.wire import rtcp
from tests.media.client import Client
from tests.media.simulation import Simulation

Pair = tuple[Client, Client]


def travels(downlink: Downlink, rtt: float, now: float = 0.0) -> None:
    downlink.round_trip(rtt, now - rtt, now)


def test_an_estimate_that_lags_behind_what_arrives_limits_nothing() -> None:
    downlink = Downlink()
    for step in range(80):
        travels(downlink, 0.02, step * 0.25)
        downlink.estimated(140_000 + step * 4_000, step * 0.25)
        downlink.reported(0, 25, 540_000, step * 0.25)
    assert downlink.limit is None


def test_an_estimate_that_falls_without_a_queue_limits_nothing() -> None:
    downlink = Downlink()
    travels(downlink, 0.02)
    for second, estimate in enumerate([1_000_000, 300_000, 250_000]):
        downlink.estimated(estimate, float(second))
        downlink.reported(0, 100, 1_500_000, float(second))
    assert downlink.limit is None


def test_an_instant_in_which_a_machine_stands_still_limits_nothing() -> None:
    """One long round trip, asked by one sender report, a fallen estimate, and packets that come later."""
    downlink = Downlink()
    for second in range(10):
        asked, now, stands = float(second), second + 0.5, second == 5
        downlink.round_trip(0.5 if stands else 0.03, asked, now)
        downlink.round_trip(0.45 if stands else 0.03, asked, now + 0.1)
        downlink.estimated(200_000 if stands else 600_000, now)
        downlink.reported(0, 15 if stands else 30, 500_000, now, 30)
    assert downlink.limit is None


def test_two_long_round_trips_of_what_does_not_get_through_bring_the_rate_down_at_once() -> None:
    downlink = Downlink()
    for second in range(7):
        full = second > 4
        downlink.round_trip(0.5 if full else 0.03, float(second), second + 0.5)
        downlink.estimated(250_000 if full else 600_000, second + 0.5)
        downlink.reported(0, 15 if full else 30, 500_000, second + 0.5, 30)
    downlink.round_trip(0.03, 7.0, 7.5)
    assert downlink.limit == 250_000


def test_while_a_queue_stands_less_is_sent_and_all_of_it_is_sounds_if_it_is_long() -> None:
    downlink = Downlink()
    travels(downlink, 0.03, 1.0)
    downlink.reported(60, 100, 1_000_000, 1.0)
    bound = downlink.limit
    assert bound
    travels(downlink, 0.33, 2.0)
    assert 0.8 * bound < (downlink.limit or 0) < 0.9 * bound
    assert not downlink.starved(2.0)
    travels(downlink, 0.83, 3.0)
    downlink.reported(60, 100, 400_000, 3.0)
    assert downlink.starved(3.0)
    travels(downlink, 0.05, 4.0)
    assert not downlink.starved(4.0)


def test_a_queue_brings_the_rate_down_to_the_estimate_step_by_step() -> None:
    downlink = Downlink()
    travels(downlink, 0.02)
    sent = 1_500_000.0
    limits = []
    for second in range(9):
        travels(downlink, 0.30, float(second))
        downlink.estimated(700_000, float(second))
        downlink.reported(0, 100, sent, float(second))
        limits.append(downlink.limit)
        sent = float(downlink.limit or sent)
    assert limits[:2] == [None, None], "one long round trip is a busy machine"
    travels(downlink, 0.02, 9.0)
    assert downlink.limit is not None
    assert 630_000 < downlink.limit <= 700_000


def test_heavy_loss_comes_down_to_what_gets_through_within_three_reports() -> None:
    downlink = Downlink()
    sent, capacity = 1_500_000.0, 200_000.0
    for second in range(3):
        downlink.estimated(180_000, float(second))
        downlink.reported(round(150 * max(0.0, 1 - capacity / sent)), 150, sent, float(second))
        assert downlink.limit is not None
        sent = float(downlink.limit)
    assert 0.7 * capacity < sent < 1.2 * capacity


def carry(downlink: Downlink, seconds: int, wanted: float, lost: Callable[[float], float], start: int = 0) -> float:
    """Send what the bound allows, report what is lost each second; returns what is sent in the end."""
    sent = wanted
    for second in range(start, start + seconds):
        sent = min(wanted, downlink.limit or wanted)
        downlink.estimated(int(0.4 * sent), float(second))
        downlink.reported(round(80 * lost(sent)), 80, sent, float(second))
    return sent


def around(share: float, dice: random.Random, _sent: float) -> float:
    return share * dice.uniform(0.5, 1.5)


def overflow(capacity: float, sent: float) -> float:
    return max(0.0, 1 - capacity / sent)


def test_losses_that_do_not_depend_on_the_rate_are_taken_as_given() -> None:
    for share in (0.05, 0.10, 0.15, 0.25):
        dice = random.Random(7)
        downlink = Downlink()
        sent = carry(downlink, 60, 1_500_000, partial(around, share, dice))
        assert sent > 900_000, share


def test_losses_of_a_full_link_bring_the_rate_down_to_it() -> None:
    for capacity in (300_000, 700_000, 1_200_000):
        downlink = Downlink()
        sent = carry(downlink, 30, 1_500_000, partial(overflow, capacity))
        assert 0.6 * capacity < sent < 1.25 * capacity, capacity


def test_a_full_link_is_noticed_on_top_of_given_losses() -> None:
    downlink = Downlink()
    carry(downlink, 40, 1_500_000, lambda _: 0.10)
    sent = carry(downlink, 40, 1_500_000, lambda sent: 1 - 0.9 * min(1.0, 500_000 / sent), start=40)
    assert sent < 800_000


def test_a_rate_comes_back_when_the_link_does() -> None:
    downlink = Downlink()
    low = carry(downlink, 15, 1_500_000, lambda sent: max(0.0, 1 - 300_000 / sent))
    assert low < 400_000
    assert carry(downlink, 15, 1_500_000, lambda _: 0.0, start=15) > 1_200_000


def test_a_bound_that_is_not_used_does_not_grow() -> None:
    downlink = Downlink()
    downlink.reported(60, 100, 1_000_000, 0.0)
    bound = downlink.limit
    assert bound
    for second in range(10, 30):
        downlink.reported(0, 100, 100_000, float(second))
    assert downlink.limit == bound


def test_the_bound_ends_when_nothing_speaks_for_it_any_more() -> None:
    downlink = Downlink()
    downlink.reported(60, 100, 10_000_000, 0.0)
    assert downlink.limit
    for second in range(4, 90):
        downlink.reported(0, 100, 19_000_000, float(second))
    assert downlink.limit is None


def test_lies_do_not_push_the_bound_under_what_sound_needs() -> None:
    downlink = Downlink()
    for second in range(100):
        downlink.estimated(2**63, float(second))
        downlink.estimated(1, second + 0.5)
        downlink.estimated(0, second + 0.6)
        travels(downlink, second, float(second))
        downlink.reported(100, 100, 0.0, float(second))
    assert downlink.limit == 100_000


def test_a_rate_is_bits_per_second() -> None:
    rate = Rate(0.0)
    assert rate.update(10, 1.0) == 0, "a part of a second says nothing"
    assert rate.update(125_010, 2.0) == 1_000_000
    assert rate.update(125_010, 3.0) == 0


def test_what_a_report_says_is_only_believed_within_reason(slot_of: Callable[[], Slot]) -> None:
    slot = slot_of()

    def report(lost: int, highest: int) -> tuple[int, int]:
        return slot.lost(rtcp.ReportBlock(1, 0, lost, highest, 0, 0, 0), 1.0)[:2]

    assert report(5, 100) == (0, 0), "nothing to compare with"
    assert report(8, 200) == (3, 100)
    assert report(-(2**23), 300) == (0, 100)
    assert report(2**23 - 1, 400) == (100, 100)
    assert report(0, 400) == (0, 0)
    assert report(0, 399) == (0, 0)
    assert report(0, 2**31) == (0, 0)


def test_a_bound_grows_where_no_round_trip_is_known_by_which_a_probe_could_be_judged() -> None:
    downlink = Downlink()
    downlink.reported(60, 100, 1_000_000, 0.0)
    for second in range(1, 20):
        sent = float(downlink.limit or 1_000_000)
        downlink.turn(sent, float(second))
        downlink.reported(0, 100, sent, second + 0.5)
    assert downlink.limit is None or downlink.limit > 900_000


def test_a_queue_that_stands_still_is_not_left_to_stand() -> None:
    """Of what is sent all arrives, half a second late: the line is full."""
    downlink = Downlink()
    travels(downlink, 0.03, 1.0)
    downlink.reported(60, 100, 1_000_000, 1.0, 100)
    bound = downlink.limit
    for second in range(5, 12):
        travels(downlink, 0.5, float(second))
        downlink.reported(0, 40, 300_000, float(second), 40)
    travels(downlink, 0.03, 12.0)
    assert bound is not None
    assert bound > 300_000
    assert 200_000 < (downlink.limit or 0) < 300_000


def test_a_bound_that_ends_while_a_probe_goes_on_ends() -> None:
    downlink = Downlink()
    downlink.begin(19_000_000)
    travels(downlink, 0.03, 0.5)
    downlink.goal = 30_000_000
    downlink.turn(19_000_000, 1.0)
    assert downlink.padding(1.9)
    downlink._bound = None
    downlink.round_trip(0.03, 2.0, 2.1)
    assert downlink.limit is None


async def test_a_longer_way_after_a_move_is_no_queue(simulation: Simulation, pair: Pair) -> None:
    _, bob = pair
    downlink = bob.peer.transport.downlink

    def limit_after(rtt: float) -> int | None:
        for second in range(4):
            travels(downlink, rtt, simulation.now + second)
            downlink.estimated(300_000, simulation.now + second)
            downlink.reported(0, 100, 400_000, simulation.now + second)
        return downlink.limit

    assert limit_after(0.02) is None
    bob.simulation.clients.pop(bob.key)
    bob.key = bob.key[:4] + bytes(4)
    bob.check()
    simulation.run(0.1)
    assert limit_after(0.25) is None
    assert limit_after(0.50) is not None


@pytest.fixture
def slot_of(simulation: Simulation, pair: Pair) -> Callable[[], Slot]:
    return lambda: next(iter(pair[0].peer.viewing.slots.values()))


async def test_a_viewer_with_losses_caps_the_publisher_and_the_cap_is_lifted(
    simulation: Simulation, pair: Pair
) -> None:
    alice, bob = pair
    alice.stream(80, audio=True)
    for client in pair:
        client.keep_alive(80)
    ssrc = bob.out_ssrcs("video")[0]
    total = [1, 1_000]

    def report(lost: int) -> None:
        total[0] += lost
        total[1] += 100
        bob.transmit_rtcp(rtcp.receiver_report(1, [rtcp.ReportBlock(ssrc, 0, total[0], total[1], 0, 0, 0)]))

    simulation.run(3)
    report(0)
    simulation.at(simulation.now + 0.5, lambda: report(60))
    simulation.run(2.5)
    caps = [packet.bitrate for packet in alice.reports(rtcp.ReceiverEstimate)]
    assert caps
    assert 200_000 < caps[-1] < 600_000
    assert all(set(packet.ssrcs) == {200} for packet in alice.reports(rtcp.ReceiverEstimate))
    for second in range(40):
        simulation.at(simulation.now + second, lambda: report(0))
    simulation.run(40)
    assert max(packet.bitrate for packet in alice.reports(rtcp.ReceiverEstimate)) > 1_000_000


async def test_the_best_connected_viewer_decides_in_a_group(simulation: Simulation) -> None:
    alice, bob, _ = (simulation.join(name, slots=2) for name in ("alice", "bob", "carol"))
    alice.stream(6)
    simulation.run(3)
    ssrc = bob.out_ssrcs("video", next(n for n, name in bob.peer.viewing.seats.items() if name == "alice"))[0]
    for lost, highest in ((1, 1_000), (61, 1_100)):
        bob.transmit_rtcp(rtcp.receiver_report(1, [rtcp.ReportBlock(ssrc, 0, lost, highest, 0, 0, 0)]))
    simulation.run(2)
    assert bob.peer.transport.downlink.limit is not None
    assert not alice.reports(rtcp.ReceiverEstimate)
