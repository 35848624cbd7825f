"""Who just sends little stays; who is gone is noticed, and freed after 30 s."""

import random
from collections.abc import Callable, Iterable
from functools import partial
from itertools import accumulate, count, takewhile

import pytest

from media.control import PeerState, SlotsChanged
from tests.media.client import Client
from tests.media.simulation import Simulation

Pair = tuple[Client, Client]
Moments = Iterable[float]


def each(seconds: float, *, lost: Callable[[int], bool] = lambda _: False, jitter: float = 0.0) -> Moments:
    """Moments in a rhythm, some of which never arrive."""
    chance = random.Random(int(seconds))
    steps = (seconds * (1 + jitter * chance.uniform(-1, 1)) for _ in count())
    return (at for index, at in enumerate(accumulate(steps)) if not lost(index))


def one_in_three(index: int) -> bool:
    return index % 3 == 2


def by_chance(seed: int) -> Callable[[int], bool]:
    chance = random.Random(seed)
    return lambda _: chance.random() < 1 / 3


def states(simulation: Simulation, name: str) -> list[str]:
    return [event.state for event in simulation.of(PeerState) if event.peer == name]


# The rhythms of stacks by name were recorded on the wire while each was muted in a consult.
STAYS: dict[str, tuple[str, Callable[[], Moments]]] = {
    "checks each 2.5 s": ("check", lambda: each(2.5)),
    "checks each 2.5 s, one in three lost": ("check", lambda: each(2.5, lost=one_in_three)),
    "checks in 4 to 6 s": ("check", lambda: each(5, jitter=0.2)),
    "checks in 4 to 6 s, one in three lost": ("check", lambda: each(5, jitter=0.2, lost=one_in_three)),
    "checks each 5 s, one in three lost": ("check", lambda: each(5, lost=one_in_three)),
    "checks each 5 s, one in three lost by chance": ("check", lambda: each(5, lost=by_chance(4))),
    "checks each 15 s": ("check", lambda: each(15)),
    "indications each 15 s": ("indicate", lambda: each(15)),
    "indications each 5 s, one in three lost": ("indicate", lambda: each(5, lost=one_in_three)),
    "libnice 0.1.21 in webrtcbin: indications each 25 s": ("indicate", lambda: each(25)),
    "libdatachannel 0.24.5: checks in 4.4 to 5.9 s, no report": ("check", lambda: each(5.15, jitter=0.15)),
    "werift 0.24.4: checks in 4.3 to 5.7 s": ("check", lambda: each(5, jitter=0.14)),
    "Pion 3.1.56: no check after the first, reports each second": ("report", lambda: each(1)),
}


@pytest.mark.parametrize("media", [0, 7, 30], ids=["never sent", "muted early", "muted late"])
@pytest.mark.parametrize("name", sorted(STAYS))
async def test_whoever_sends_little_just_stays(simulation: Simulation, pair: Pair, name: str, media: int) -> None:
    """For three minutes without media, after some with."""
    alice, bob = pair
    bob.keep_alive(240)
    alice.stream(media, audio=True)
    sign, rhythm = STAYS[name]
    for at in takewhile(lambda moment: moment < 180 + media, rhythm()):
        simulation.at(simulation.now + at, getattr(alice, sign))
    simulation.run(180 + media)
    assert states(simulation, "alice") == ["connected"]
    assert states(simulation, "bob") == ["connected"]


@pytest.mark.parametrize(
    ("sign", "rhythm", "noticed"),
    [
        ("check", 2.5, 8),
        ("check", 5, 16),
        ("check", 15, 26),
        ("indicate", 15, 26),
        ("check", 1_000, 26),
    ],
)
async def test_whoever_is_gone_is_noticed_and_freed(
    simulation: Simulation, pair: Pair, sign: str, rhythm: float, noticed: float
) -> None:
    _alice, bob = pair
    bob.keep_alive(200)
    for at in takewhile(lambda moment: moment <= 60, each(rhythm)):
        simulation.at(simulation.now + at, getattr(_alice, sign))
    simulation.run(60 if rhythm < 60 else 0)
    simulation.run(noticed - 1)
    assert states(simulation, "alice") == ["connected"]
    simulation.run(3)
    assert states(simulation, "alice") == ["connected", "reconnecting"]
    simulation.run(29.9 - noticed - 2)
    assert "alice" in simulation.router.rooms["room"].peers
    simulation.run(2.5)
    assert states(simulation, "alice") == ["connected", "reconnecting", "lost"]
    assert list(simulation.router.rooms["room"].peers) == ["bob"]
    assert simulation.of(SlotsChanged)[-1].slots == []


async def test_media_and_reports_are_signs_of_life_too(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    bob.keep_alive(90)
    for index in range(8):
        simulation.at(simulation.now + 10 * index, partial(alice.send_audio, 480_000 * index))
    simulation.run(90)
    assert states(simulation, "alice") == ["connected"]


async def test_any_authentic_packet_ends_reconnecting(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    bob.keep_alive(60)
    simulation.run(28)
    alice.send_audio(0)
    simulation.run(2)
    assert states(simulation, "alice") == ["connected", "reconnecting", "connected"]


async def test_an_indication_counts_on_the_path_in_use_only(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    bob.keep_alive(60)
    away, home = b"\2\0\1\1elsewhere", alice.key

    def indicate_elsewhere() -> None:
        alice.key = away
        alice.indicate()
        alice.key = home

    for index in range(40):
        simulation.at(simulation.now + index, indicate_elsewhere)
    simulation.run(33)
    assert states(simulation, "alice")[-1] == "lost"
