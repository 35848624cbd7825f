"""What a viewer can take caps the publisher; a fast viewer is not held back by an estimate that lags."""

from media.bandwidth import Downlink, Rate
from media.wire import rtcp
from tests.media.simulation import Client, Simulation

Pair = tuple[Client, Client]


def test_an_estimate_that_lags_behind_what_arrives_limits_nothing() -> None:
    downlink = Downlink()
    for step in range(80):
        downlink.round_trip(0.02)
        downlink.estimated(140_000 + step * 4_000, 540_000, step * 0.25)
        downlink.lost(0.0, 540_000, step * 0.25)
    assert downlink.limit is None


def test_an_estimate_that_falls_without_loss_or_delay_limits_nothing() -> None:
    downlink = Downlink()
    downlink.round_trip(0.02)
    downlink.estimated(1_000_000, 1_500_000, 1.0)
    downlink.estimated(300_000, 1_500_000, 1.3)
    assert downlink.limit is None


def test_an_estimate_that_falls_while_a_queue_builds_up_limits() -> None:
    downlink = Downlink()
    downlink.round_trip(0.02)
    downlink.estimated(1_000_000, 1_500_000, 1.0)
    downlink.round_trip(0.30)
    downlink.estimated(800_000, 1_500_000, 1.3)
    assert downlink.limit == int(1_500_000 * 0.85)
    downlink.estimated(700_000, 1_500_000, 1.5)
    assert downlink.limit == int(1_500_000 * 0.85), "one step a second: what is sent takes a while to follow"
    downlink.estimated(600_000, 1_300_000, 2.6)
    assert downlink.limit == int(1_275_000 * 0.85)


def test_heavy_loss_comes_down_to_what_gets_through_within_three_reports() -> None:
    downlink = Downlink()
    sent, capacity = 1_500_000.0, 200_000.0
    for second in range(3):
        downlink.estimated(180_000, sent, float(second))
        downlink.lost(max(0.0, 1 - capacity / sent), sent, float(second))
        assert downlink.limit is not None
        sent = float(downlink.limit)
    assert sent < 1.2 * capacity


def test_loss_alone_halves_as_much_as_was_lost_and_recovers_by_five_percent() -> None:
    downlink = Downlink()
    downlink.lost(0.2, 1_000_000, 0.0)
    assert downlink.limit == 900_000
    downlink.lost(0.0, 900_000, 1.0)
    assert downlink.limit == 900_000, "not at once"
    downlink.lost(0.0, 900_000, 4.0)
    assert downlink.limit == 945_000
    downlink.lost(0.0, 100_000, 5.0)
    assert downlink.limit == 945_000, "a bound that is not used proves nothing"
    downlink.lost(0.05, 940_000, 6.0)
    assert downlink.limit == 945_000


def test_the_bound_ends_when_nothing_speaks_for_it_any_more() -> None:
    downlink = Downlink()
    downlink.lost(0.2, 10_000_000, 0.0)
    for second in range(4, 60):
        downlink.lost(0.0, 19_000_000, float(second))
    assert downlink.limit is None


def test_lies_do_not_push_the_bound_under_what_sound_needs() -> None:
    downlink = Downlink()
    for second in range(100):
        downlink.estimated(2**63, 1.0, float(second))
        downlink.estimated(1, 1.0, second + 0.5)
        downlink.estimated(0, 1.0, second + 0.6)
        downlink.lost(1.0, 0.0, float(second))
    assert downlink.limit == 100_000


def test_a_rate_is_bits_per_second() -> None:
    rate = Rate(0.0)
    assert rate.update(125_000, 1.0) == 1_000_000
    assert rate.update(125_000, 2.0) == 0


async def test_a_viewer_with_losses_caps_the_publisher_and_the_cap_is_lifted(
    simulation: Simulation, pair: Pair
) -> None:
    alice, bob = pair
    alice.stream(80, audio=True)
    for client in pair:
        client.keep_alive(80)
    ssrc = bob.out_ssrcs("video")[0]

    def report(lost: int) -> None:
        bob.transmit_rtcp(rtcp.receiver_report(1, [rtcp.ReportBlock(ssrc, lost, 0, 0, 0, 0, 0)]))

    simulation.run(2)
    for second in range(3):
        simulation.at(simulation.now + second, lambda: report(77))
    simulation.run(4)
    caps = [packet.bitrate for packet in alice.reports(rtcp.ReceiverEstimate)]
    assert caps
    assert 300_000 < caps[-1] < 600_000
    assert all(set(packet.ssrcs) == {200} for packet in alice.reports(rtcp.ReceiverEstimate))
    for second in range(70):
        simulation.at(simulation.now + second, lambda: report(0))
    simulation.run(70)
    caps = [packet.bitrate for packet in alice.reports(rtcp.ReceiverEstimate)]
    assert max(caps) > 800_000


async def test_the_best_connected_viewer_decides_in_a_group(simulation: Simulation) -> None:
    alice, bob, _ = (simulation.join(name, slots=2) for name in ("alice", "bob", "carol"))
    alice.stream(5)
    simulation.run(2)
    ssrc = bob.out_ssrcs("video", next(n for n, name in bob.peer.seats.items() if name == "alice"))[0]
    bob.transmit_rtcp(rtcp.receiver_report(1, [rtcp.ReportBlock(ssrc, 128, 0, 0, 0, 0, 0)]))
    simulation.run(2)
    assert bob.peer.transport.downlink.limit is not None
    assert not alice.reports(rtcp.ReceiverEstimate)
