"""Key frames are asked for at once, but not in a storm."""

from functools import partial
from itertools import pairwise

from media.control import RequestKeyframe
from media.forwarding.keyframes import KeyframeRequests
from media.wire import rtcp
from tests.media.client import Client
from tests.media.link import lose
from tests.media.packets import frames
from tests.media.simulation import Simulation

Pair = tuple[Client, Client]


def test_the_first_request_goes_out_at_once_and_the_next_waits_half_a_second() -> None:
    requests = KeyframeRequests()
    assert requests.request(10.0, heard=10.0)
    assert not requests.request(10.1, heard=10.1)
    assert not requests.due(10.49, waiting=False, heard=10.49)
    assert requests.due(10.5, waiting=False, heard=10.5)
    requests.arrived()
    assert not requests.active


def test_a_pending_request_is_kept_and_answered_by_a_key_frame() -> None:
    requests = KeyframeRequests()
    requests.request(10.0, heard=10.0)
    requests.request(10.1, heard=10.1)
    requests.arrived()
    assert not requests.due(11.0, waiting=True, heard=11.0)


def test_an_unanswered_request_is_repeated_each_second_while_somebody_waits() -> None:
    requests = KeyframeRequests()
    requests.request(10.0, heard=10.0)
    assert not requests.due(10.9, waiting=True, heard=10.9)
    assert requests.due(11.0, waiting=True, heard=11.0)
    assert requests.due(12.0, waiting=True, heard=12.0)
    assert not requests.due(13.0, waiting=False, heard=13.0)
    assert not requests.active


def test_a_scheduled_request_goes_out_whatever_came_before() -> None:
    requests = KeyframeRequests()
    requests.schedule(11.0)
    requests.arrived()
    assert not requests.due(10.9, waiting=False, heard=10.9)
    assert requests.due(11.0, waiting=False, heard=11.0)


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
    call = RequestKeyframe(room="room", fence=1, peer="alice", source="camera", by="bob")
    replies = [simulation.router.handle(call).reply for _ in range(20)]
    simulation.run(0.2)
    assert set(replies) == {"done"}
    assert len(alice.keyframe_requests()) == before + 1
    unknown = RequestKeyframe(room="room", fence=1, peer="nobody", source="camera")
    assert simulation.router.handle(unknown).reply == "refused"


async def test_a_viewer_that_key_frames_do_not_help_costs_the_sender_ever_fewer(
    simulation: Simulation, pair: Pair
) -> None:
    """It asks each 200 ms, as Chromium does when its frames do not open, and by signaling each 500 ms."""
    alice, bob = pair
    alice.answers_requests = True
    for client in pair:
        client.keep_alive(130)
    alice.stream(130)
    simulation.run(2)
    alice.feedback.clear()
    ssrc, call = bob.out_ssrcs("video")[0], ask("bob")
    for index in range(600):
        simulation.at(simulation.now + index / 5, partial(bob.transmit_rtcp, rtcp.pli(1, ssrc)))
        simulation.at(simulation.now + index / 5, partial(simulation.router.handle, call))
    simulation.run(120)
    asked = alice.keyframe_requests()
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    assert 9 <= len(asked) <= 14
    assert gaps[0] < 1.2
    assert gaps[-1] > 15


def ask(viewer: str) -> RequestKeyframe:
    return RequestKeyframe(room="room", fence=1, peer="alice", source="camera", by=viewer)


async def test_one_such_viewer_takes_nothing_from_another(simulation: Simulation) -> None:
    alice, bob, carol = (simulation.join(name, slots=2) for name in ("alice", "bob", "carol"))
    alice.answers_requests = True
    for client in (alice, bob, carol):
        client.keep_alive(60)
    alice.stream(60)
    ssrc = next(slot.ssrc for slot in bob.peer.viewing.slots.values() if slot.source and slot.source.source == "camera")
    for index in range(250):
        simulation.at(simulation.now + 2 + index / 5, partial(bob.transmit_rtcp, rtcp.pli(1, ssrc)))
    simulation.run(45)
    alice.feedback.clear()
    simulation.router.handle(ask("carol"))
    simulation.run(0.1)
    assert len(alice.keyframe_requests()) == 1


async def test_a_viewer_that_loses_packets_may_go_on_asking(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    alice.answers_requests = True
    for client in pair:
        client.keep_alive(40)
    alice.stream(40)
    simulation.run(2)
    alice.feedback.clear()
    ssrc = bob.out_ssrcs("video")[0]
    for index in range(20):
        lost = rtcp.nack(1, ssrc, [bob.got()[-1].sequence])
        simulation.at(simulation.now + index * 1.5 + 1.3, partial(bob.transmit_rtcp, lost))
        simulation.at(simulation.now + index * 1.5 + 1.4, partial(bob.transmit_rtcp, rtcp.pli(1, ssrc)))
    simulation.run(31)
    assert len(alice.keyframe_requests()) == 20


async def test_a_viewer_that_was_content_meanwhile_is_served_at_once(simulation: Simulation, pair: Pair) -> None:
    alice, _ = pair
    alice.answers_requests = True
    for client in pair:
        client.keep_alive(80)
    alice.stream(80)
    simulation.run(2)
    for index in range(100):
        simulation.at(simulation.now + index / 5, partial(simulation.router.handle, ask("bob")))
    simulation.run(30)
    alice.feedback.clear()
    simulation.router.handle(ask("bob"))
    simulation.run(0.1)
    assert len(alice.keyframe_requests()) == 1


async def test_a_screen_that_is_no_longer_shared_is_not_asked_for_ever(simulation: Simulation) -> None:
    alice = simulation.join("alice", screen=True)
    for index in range(30):
        frame = partial(alice.send_frame, index * 3_000, key=index == 0, source="screen")
        simulation.at(simulation.now + index / 30, frame)
    alice.keep_alive(120)
    simulation.run(2)
    bob = simulation.join("bob")
    bob.keep_alive(120)
    simulation.run(60)
    asked = alice.keyframe_requests(300)
    assert 1 <= len(asked) <= 4
    alice.feedback.clear()
    for index in range(100):
        call = RequestKeyframe(room="room", fence=1, peer="alice", source="screen", by="bob")
        simulation.at(simulation.now + index / 5, partial(simulation.router.handle, call))
    simulation.run(30)
    assert alice.keyframe_requests(300) == []
    alice.send_frame(10_000_000, source="screen")
    simulation.run(0.1)
    assert len(alice.keyframe_requests(300)) == 1, "it is shared again"
