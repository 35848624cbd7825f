"""What a viewer is sent on a line that is thin, becomes thin or lossy: it fits, sound comes first, nothing flaps."""

import pytest

from media.forwarding.allocation import Choice, Offering, Wish
from tests.media.bottleneck import Bottleneck
from tests.media.thin_line import Encoder, Layers, ThinLine

WIDE = 5_000_000.0
HD = 1_500_000.0
FALLS, RISES = 10.0, 40.0


def consult(low: float, queue: int, seed: int, **line: float) -> ThinLine:
    """A consult of two whose line takes ``low`` from second 10 to 40."""
    rates = [(0.0, WIDE), (FALLS, low), (RISES, WIDE)]
    link = Bottleneck(rates, queue=queue, loss=line.get("loss", 0.0), jitter=line.get("jitter", 0.0), seed=seed)
    return ThinLine(link, Encoder(HD), seed=seed)


def camera() -> tuple[Offering, ...]:
    layers = ((150_000, 180), (500_000, 360), (1_500_000, 720))
    shares = enumerate((0.4, 0.6, 1.0))
    return tuple(
        Offering(layer, temporal, int(bitrate * share), height)
        for temporal, share in shares
        for layer, (bitrate, height) in enumerate(layers)
    )


def group(rate: float, queue: int, people: int = 1, **line: float) -> tuple[ThinLine, Layers]:
    """A viewer who sees so many large pictures, on a line that stays the same."""
    layers = Layers([Wish(slot, 720, False, False, camera(), None) for slot in range(people)])
    return ThinLine(Bottleneck([(0.0, rate)], queue=queue, loss=line.get("loss", 0.0)), layers), layers


def sound_lost(line: ThinLine, start: float, end: float) -> float:
    waits = [wait for sent, wait in line.sound if start <= sent < end]
    return waits.count(None) / len(waits)


def sound_waits(line: ThinLine, start: float, end: float, share: float = 0.95) -> float:
    """Seconds within which this share of what arrived did."""
    waits = sorted(wait for sent, wait in line.sound if start <= sent < end and wait is not None)
    return waits[int(share * (len(waits) - 1))]


def arrives(line: ThinLine, start: float, end: float) -> float:
    """Bit/s of pictures."""
    rates = [rate for at, rate in line.rates if start < at <= end]
    return sum(rates) / len(rates)


@pytest.mark.parametrize(("queue", "seed"), [(10_000, 1), (40_000, 2), (40_000, 3)])
def test_a_consult_of_two_adapts_to_300_kbit_in_3_s_and_recovers_in_15(queue: int, seed: int) -> None:
    line = consult(300_000, queue, seed)
    line.run(FALLS + 3)
    assert line.downlink.limit is not None
    assert line.downlink.limit < 300_000
    line.run(RISES - line.now)
    assert arrives(line, FALLS + 10, RISES) > 130_000, "half of what there is"
    assert sound_lost(line, FALLS + 3, RISES) < 0.01
    assert sound_waits(line, FALLS + 10, RISES, 0.5) < 0.120
    assert sound_waits(line, FALLS + 10, RISES) < 0.400
    line.run(15)
    assert arrives(line, RISES + 14, RISES + 15) > 0.8 * HD
    line.run(10)
    assert line.downlink.limit is None, "nothing is left of it"


@pytest.mark.parametrize(("queue", "seed"), [(10_000, 4), (40_000, 5)])
def test_at_150_kbit_the_picture_waits_sound_is_clean_and_it_comes_back_by_itself(queue: int, seed: int) -> None:
    line = consult(150_000, queue, seed)
    line.run(RISES)
    assert all(starved for at, _, starved in line.limits if at > FALLS + 20)
    assert arrives(line, FALLS + 20, RISES) == 0
    assert sound_lost(line, FALLS + 8, RISES) < 0.01
    assert sound_waits(line, FALLS + 20, RISES) < 0.250
    line.run(15)
    assert not line.downlink.starved(line.now)
    line.run(10)
    assert arrives(line, line.now - 1, line.now) > 0.8 * HD


@pytest.mark.parametrize("seed", range(3))
def test_losses_and_jitter_of_a_wide_line_limit_nothing(seed: int) -> None:
    line = consult(WIDE, 40_000, seed, loss=0.03, jitter=0.030)
    line.run(60)
    assert all(limit is None for _, limit, _ in line.limits)


def test_a_receiver_that_cannot_be_probed_recovers_too() -> None:
    line = consult(300_000, 10_000, 1)
    line.padding = False
    line.run(RISES + 30)
    assert arrives(line, line.now - 1, line.now) > 0.6 * HD


def test_a_receiver_without_an_estimate_of_its_own_is_served_too() -> None:
    line = consult(300_000, 40_000, 2)
    line.remb = False
    line.run(RISES)
    assert line.downlink.limit is not None
    assert line.downlink.limit < 300_000
    assert sound_lost(line, FALLS + 4, RISES) < 0.01
    line.run(20)
    assert arrives(line, line.now - 1, line.now) > 0.8 * HD


@pytest.mark.parametrize(
    ("rate", "fits"),
    [
        (200_000, [(0, 0), (0, 1), (0, 2)]),
        (500_000, [(1, 1)]),
        (1_500_000, [(2, 1)]),
        (5_000_000, [(2, 2)]),
    ],
)
@pytest.mark.parametrize("seconds", [0.15, 0.6])
def test_each_line_gets_the_best_layer_that_fits_and_keeps_it(rate: float, fits: list[Choice], seconds: float) -> None:
    line, layers = group(rate, int(rate * seconds / 8))
    line.run(120)
    assert layers.changes[-1][1][0] in fits
    assert len([at for at, _ in layers.changes if at > 60]) <= 2
    assert len(layers.changes) <= 12
    assert sound_lost(line, 20, 120) < 0.01
    assert sound_waits(line, 20, 120, 0.9) < 0.200


def test_a_group_shows_everybody_before_anybody_larger() -> None:
    line, layers = group(1_500_000, 20_000, people=6)
    line.run(60)
    chosen = layers.changes[-1][1]
    assert all(choice is not None for choice in chosen.values())
    assert sum(choice is not None and choice[0] > 0 for choice in chosen.values()) < 6
    assert sound_waits(line, 20, 60, 0.9) < 0.150


def test_a_wide_line_is_found_to_be_wide_within_seconds() -> None:
    line, layers = group(20_000_000, 150_000, people=5)
    line.run(20)
    assert set(layers.changes[-1][1].values()) == {(2, 2)}


def test_a_bottleneck_passes_on_what_it_takes_in_order_and_drops_the_rest() -> None:
    link = Bottleneck([(0.0, 80_000), (10.0, 160_000)], queue=10_000, delay=0.01)
    assert link.arrival(1_000, 0.0) == pytest.approx(0.11)
    assert link.arrival(1_000, 0.0) == pytest.approx(0.21)
    assert link.arrival(9_000, 0.0) is None
    assert link.arrival(1_000, 10.0) == pytest.approx(10.06), "twice as quick, and the queue is gone"
    lossy = Bottleneck([(0.0, 1e9)], loss=0.1, jitter=0.050)
    arrivals = [lossy.arrival(100, index / 100) for index in range(1_000)]
    assert 60 < arrivals.count(None) < 140
    came = [at for at in arrivals if at is not None]
    assert came == sorted(came)
