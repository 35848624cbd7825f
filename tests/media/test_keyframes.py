"""Key frames are asked for at once, but not in a storm."""

from functools import partial

from media.control import RequestKeyframe
from media.keyframes import KeyframeRequests
from media.wire import rtcp
from tests.media.client import Client
from tests.media.link import lose
from tests.media.packets import frames
from tests.media.simulation import Simulation

Pair = tuple[Client, Client]


def test_the_first_request_goes_out_at_once_and_the_next_waits_half_a_second() -> None:
    requests = KeyframeRequests()
    assert requests.request(10.0)
    assert not requests.request(10.1)
    assert not requests.due(10.49, waiting=False)
    assert requests.due(10.5, waiting=False)
    requests.arrived()
    assert not requests.active


def test_a_pending_request_is_kept_and_answered_by_a_key_frame() -> None:
    requests = KeyframeRequests()
    requests.request(10.0)
    requests.request(10.1)
    requests.arrived()
    assert not requests.due(11.0, waiting=True)


def test_an_unanswered_request_is_repeated_each_second_while_somebody_waits() -> None:
    requests = KeyframeRequests()
    requests.request(10.0)
    assert not requests.due(10.9, waiting=True)
    assert requests.due(11.0, waiting=True)
    assert requests.due(12.0, waiting=True)
    assert not requests.due(13.0, waiting=False)
    assert not requests.active


def test_a_scheduled_request_goes_out_whatever_came_before() -> None:
    requests = KeyframeRequests()
    requests.schedule(11.0)
    requests.arrived()
    assert not requests.due(10.9, waiting=False)
    assert requests.due(11.0, waiting=False)


async def test_a_new_viewer_asks_at_once_and_once_more_a_second_after_the_first_frame(simulation: Simulation) -> None:
    alice = simulation.join("alice")
    alice.stream(10)
    simulation.run(2)
    bob = simulation.join("bob")
    at = simulation.now
    simulation.run(0.1)
    asked = alice.keyframe_requests()
    assert len(asked) == 1
    assert asked[0] - at < 0.05
    alice.send_frame(1_000_000, 2, key=True)
    simulation.run(3)
    assert bob.got()
    first = bob.got()[0].at
    asked = alice.keyframe_requests()
    assert len(asked) >= 2
    assert 0.9 < asked[1] - first < 1.1


async def test_a_stream_whose_first_key_frame_is_lost_is_asked_for_another_at_once(
    simulation: Simulation, pair: Pair
) -> None:
    alice, bob = pair
    alice.answers_requests = True
    alice.link.up = lose({0})
    alice.stream(1)
    simulation.run(0.2)
    assert len(frames(bob.got())) >= 2


async def test_a_storm_of_requests_becomes_two_a_second(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    alice.stream(6)
    simulation.run(2.5)
    before = len(alice.keyframe_requests())
    ssrc = bob.out_ssrcs("video")[0]
    for index in range(1_000):
        request = rtcp.pli(1, ssrc) if index % 2 else rtcp.fir(1, [(ssrc, index & 0xFF)])
        simulation.at(simulation.now + index / 500, partial(bob.transmit_rtcp, request))
    simulation.run(2)
    asked = len(alice.keyframe_requests()) - before
    assert 3 <= asked <= 5


async def test_twelve_viewers_at_once_make_one_request(simulation: Simulation) -> None:
    simulation.open("hall", capacity=13)
    alice = simulation.join("alice", room="hall", slots=0)
    alice.stream(1)
    simulation.run(1.5)
    viewers = [Client(simulation, f"viewer{index}", room="hall") for index in range(12)]
    for viewer in viewers:
        viewer.connect()
    simulation.run(0.3)
    assert len(alice.keyframe_requests()) == 1
    alice.stream(0.2, at=900_000)
    simulation.run(0.5)
    assert all(len(viewer.got()) == 18 for viewer in viewers)


async def test_signaling_can_ask_and_is_limited_alike(simulation: Simulation, pair: Pair) -> None:
    alice, _ = pair
    alice.stream(5)
    simulation.run(2.5)
    before = len(alice.keyframe_requests())
    call = RequestKeyframe(room="room", fence=1, peer="alice", source="camera")
    replies = [simulation.router.handle(call).reply for _ in range(20)]
    simulation.run(0.2)
    assert set(replies) == {"done"}
    assert len(alice.keyframe_requests()) == before + 1
    unknown = RequestKeyframe(room="room", fence=1, peer="nobody", source="camera")
    assert simulation.router.handle(unknown).reply == "refused"
