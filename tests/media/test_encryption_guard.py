"""A source that is not end-to-end encrypted is stopped: at most one frame's packets leave the relay."""

import pytest

from media.control import UnencryptedSeen
from tests.media.client import Client
from tests.media.link import lose
from tests.media.packets import frames
from tests.media.simulation import Simulation

Pair = tuple[Client, Client]


async def test_of_video_that_was_never_encrypted_no_packet_leaves(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    for frame in range(10):
        alice.send_frame(frame * 3_000, 4, key=frame == 0, encrypted=False)
        simulation.run(0.03)
    assert not bob.got()
    seen = simulation.of(UnencryptedSeen)
    assert [(event.peer, event.source) for event in seen] == [("alice", "camera")]


async def test_of_sound_that_was_never_encrypted_no_packet_leaves(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    for frame in range(10):
        alice.send_audio(frame * 960, encrypted=False)
    simulation.run(0.2)
    assert not bob.got("audio")
    assert [event.source for event in simulation.of(UnencryptedSeen)] == ["microphone"]


async def test_video_that_stops_being_encrypted_leaves_at_most_one_frame(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    alice.stream(1)
    simulation.run(1)
    for frame in range(30):
        alice.send_frame(90_000 + frame * 3_000, 4, encrypted=False)
        simulation.run(0.03)
    leaked = {timestamp: parts for timestamp, parts in frames(bob.got()).items() if timestamp >= 90_000}
    assert leaked == {90_000: [0, 1, 2]}
    assert len(simulation.of(UnencryptedSeen)) == 1


@pytest.mark.parametrize("lost", range(4))
async def test_losing_a_packet_of_the_first_clear_frame_lets_no_other_out(
    simulation: Simulation, pair: Pair, lost: int
) -> None:
    alice, bob = pair
    alice.answers_nacks = False
    alice.stream(1)
    simulation.run(1)
    alice.link.up = lose({lost})
    alice.send_frame(90_000, 4, encrypted=False)
    for frame in range(1, 20):
        alice.send_frame(90_000 + frame * 3_000, 4, encrypted=False)
    simulation.run(1)
    assert {timestamp for timestamp in frames(bob.got()) if timestamp >= 90_000} <= {90_000}
    assert simulation.of(UnencryptedSeen)


async def test_losing_the_end_of_a_frame_delays_the_next_one_and_loses_none(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    alice.stream(0.5)
    simulation.run(0.5)
    alice.link.up = lose({3})
    alice.send_frame(90_000, 4)
    alice.send_frame(93_000, 4)
    simulation.run(0.025)
    assert 93_000 in frames(bob.got()), "the next frame shows its own end at once"
    simulation.run(0.5)
    assert sorted(frames(bob.got())[90_000]) == [0, 1, 2, 3]


async def test_a_stopped_source_stays_stopped_and_the_others_go_on(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    alice.send_frame(0, 2, key=True, encrypted=False)
    alice.stream(1, audio=True, at=3_000)
    bob.stream(1, audio=True)
    simulation.run(1.2)
    assert not bob.got()
    assert len(bob.got("audio")) == 50
    assert len(frames(alice.got())) == 30
    assert not alice.keyframe_requests()


async def test_a_stream_that_starts_again_has_to_show_its_encryption_again(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    alice.stream(1)
    simulation.run(2.2)
    before = len(bob.got())
    alice.ssrcs["camera"], alice.mid_extension = 260, True
    for frame in range(5):
        alice.send_frame(90_000 + frame * 3_000, 4, key=True, encrypted=False)
    simulation.run(0.2)
    assert len(bob.got()) == before
    assert simulation.of(UnencryptedSeen)


async def test_a_clear_frame_is_seen_on_the_repair_stream_too(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    alice.stream(0.5)
    simulation.run(0.5)
    alice.link.up = lose({3})
    alice.send_frame(90_000, 4, encrypted=False)
    alice.send_frame(93_000, 4)
    simulation.run(0.5)
    assert alice.nacks(), "the last packet was asked for and came over RTX"
    assert simulation.of(UnencryptedSeen)
    before = len(bob.got())
    alice.stream(0.2, at=180_000)
    simulation.run(0.4)
    assert len(bob.got()) == before
