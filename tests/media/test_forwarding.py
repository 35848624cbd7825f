"""What a subscriber gets of what a publisher sends: numbers, times and ids of its own, and nothing missing."""

from struct import pack

import pytest

from media.control import RemovePeer, SlotsChanged, SlotView
from tests.media.client import TRAILER, Client
from tests.media.offering import ABS_SEND_TIME, MID, TRANSPORT_SEQUENCE
from tests.media.packets import frames, sequences
from tests.media.simulation import Simulation

Pair = tuple[Client, Client]


async def test_both_directions_arrive_complete_under_the_announced_ssrcs(simulation: Simulation, pair: Pair) -> None:
    for client in pair:
        client.stream(2, audio=True)
    simulation.run(2.2)
    for client in pair:
        assert len(frames(client.got())) == 60
        assert len(client.got()) == 180
        assert len(client.got("audio")) == 100
        assert client.answer is not None
        announced = client.answer.sdp
        for kind in ("audio", "video"):
            assert f"a=ssrc:{client.out_ssrcs(kind)[0]} cname:" in announced
        assert f"a=ssrc-group:FID {client.out_ssrcs('video')[0]} {client.out_ssrcs('video')[1]}" in announced


async def test_payload_types_are_those_of_the_subscribers_own_offer(simulation: Simulation) -> None:
    alice = simulation.join("alice")
    bob = simulation.join("bob", vp8=120, opus=63)
    alice.stream(0.5, audio=True)
    simulation.run(1)
    assert {packet.payload_type for packet in bob.got()} == {120}
    assert {packet.payload_type for packet in bob.got("audio")} == {63}


async def test_only_extensions_of_our_own_go_out_and_the_mid_only_at_first(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    alice.stream(4)
    simulation.run(4.2)
    first, last = bob.got()[0], bob.got()[-1]
    mid = next(mid for mid, slot in bob.peer.viewing.slots.items() if slot.ssrc == first.ssrc)
    assert first.extensions == {ABS_SEND_TIME: first.extensions[ABS_SEND_TIME], MID: mid.encode()}
    assert set(last.extensions) == {ABS_SEND_TIME}
    seconds = int.from_bytes(last.extensions[ABS_SEND_TIME], "big") / 2**18
    assert abs(seconds - last.at % 64) < 0.05
    assert not any(TRANSPORT_SEQUENCE in packet.extensions for packet in bob.got())


async def test_a_marker_and_a_payload_are_passed_on_unchanged(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    alice.send_frame(0, 3, key=True)
    simulation.run(0.1)
    assert [packet.marker for packet in bob.got()] == [False, False, True]
    sent = [packet[12:] for packet in alice.history.values()]
    assert [packet.payload for packet in bob.got()] == sent


async def test_a_packet_of_1400_bytes_is_relayed(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    alice.send_frame(0, 2, key=True, size=1_400)
    simulation.run(0.1)
    assert [len(packet.payload) for packet in bob.got()] == [1_400, 1_400 + len(TRAILER)]


async def test_packets_of_padding_only_leave_no_gap(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    for frame in range(30):
        alice.send_frame(frame * 3_000, 2, key=frame == 0)
        for _ in range(frame % 4):
            alice.transmit(alice.packet("camera", b"", frame * 3_000, padding=200))
    simulation.run(1)
    assert sequences(bob.got()) == list(range(60))
    assert not alice.nacks()


async def test_padding_is_taken_off_a_packet_that_also_has_a_payload(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    alice.transmit(alice.packet("microphone", b"sound" + TRAILER, 0, True, padding=20))
    simulation.run(0.1)
    assert [packet.payload for packet in bob.got("audio")] == [b"sound" + TRAILER]


async def test_sequence_numbers_wrap_with_padding_and_reordering_around_the_wrap(
    simulation: Simulation, pair: Pair
) -> None:
    alice, bob = pair
    alice.sequences["camera"] = 65_520
    packets = []
    for frame in range(20):
        for index in range(2):
            payload = pack("!BB", 0x10 * (not index), frame > 0) + pack("!II", frame, index) + TRAILER
            packets.append(alice.packet("camera", payload, frame * 3_000, index == 1))
        packets.append(alice.packet("camera", b"", frame * 3_000, padding=50))
    packets[20], packets[22] = packets[22], packets[20]
    for packet in packets:
        alice.transmit(packet)
    simulation.run(1)
    got = sequences(bob.got())
    assert sorted(got) == list(range(len(got)))
    # The padding that came too late to close its gap fills it, empty.
    assert [len(packet.payload) for packet in bob.got()].count(0) == 1
    assert set(frames([packet for packet in bob.got() if packet.payload])) == set(range(20))


async def test_a_late_joiner_decrypts_after_the_publisher_rolled_over(simulation: Simulation) -> None:
    """The publisher's extended numbers passed through would be undecryptable without any error."""
    alice = simulation.join("alice")
    for index in range(50):
        alice.sequences["microphone"] = index * 2_900 & 0xFFFF
        alice.send_audio(index * 960)
        simulation.run(0.02)
    bob = simulation.join("bob")
    alice.send_audio(0)
    alice.stream(0.5, audio=True)
    simulation.run(1)
    assert len(bob.got("audio")) == 26
    assert len(bob.got()) == 45


async def test_video_begins_with_a_key_frame_and_what_came_before_is_not_sent(simulation: Simulation) -> None:
    alice = simulation.join("alice")
    alice.stream(1)
    simulation.run(1)
    bob = simulation.join("bob")
    alice.stream(1, key=False, at=90_000)
    simulation.run(1)
    assert not bob.got()
    assert alice.keyframe_requests()
    alice.send_frame(200_000, 3, key=True)
    alice.send_frame(203_000, 3)
    simulation.run(0.2)
    assert list(frames(bob.got())) == [200_000, 203_000]


async def test_a_key_frame_of_just_now_is_replayed_to_a_newcomer(simulation: Simulation) -> None:
    alice = simulation.join("alice")
    alice.send_frame(0, 10, key=True)
    alice.send_frame(3_000, 5)
    simulation.run(0.05)
    bob = simulation.join("bob")
    alice.send_frame(6_000, 5)
    simulation.run(0.1)
    assert frames(bob.got()) == {0: list(range(10)), 3_000: list(range(5)), 6_000: list(range(5))}


async def test_an_old_key_frame_is_not_replayed(simulation: Simulation) -> None:
    alice = simulation.join("alice")
    alice.send_frame(0, 10, key=True)
    simulation.run(2.5)
    bob = simulation.join("bob")
    simulation.run(0.1)
    assert not bob.got()
    assert alice.keyframe_requests()


async def test_numbers_go_on_and_time_goes_forward_when_a_slot_shows_somebody_else(
    simulation: Simulation, pair: Pair
) -> None:
    alice, bob = pair
    alice.stream(1, at=4_000_000_000, audio=True)
    simulation.run(1.2)
    before = len(bob.got())
    simulation.router.handle(RemovePeer(room="room", fence=1, peer="alice"))
    simulation.run(2)
    carol = simulation.join("carol")
    carol.stream(1, at=77, audio=True)
    simulation.run(1.2)
    packets = bob.got()
    assert len(packets) == before + 90
    assert sequences(packets) == list(range(len(packets)))
    step = (packets[before].timestamp - packets[before - 1].timestamp) & 0xFFFFFFFF
    elapsed = packets[before].at - packets[before - 1].at
    assert abs(step / 90_000 - elapsed) < 0.1
    assert sequences(bob.got("audio")) == list(range(100))


async def test_a_new_ssrc_in_mid_stream_goes_on_at_its_key_frame(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    alice.stream(1)
    simulation.run(2.2)
    alice.ssrcs["camera"], alice.sequences["camera"] = 250, 40_000
    alice.mid_extension = True
    alice.stream(1, at=500_000)
    simulation.run(1.2)
    assert sequences(bob.got()) == list(range(180))
    assert len(frames(bob.got())) == 60


async def test_a_stream_is_found_by_its_mid_when_no_ssrc_was_announced(simulation: Simulation) -> None:
    alice = simulation.join("alice", announce=False, screen=True, mid_extension=True)
    bob = simulation.join("bob")
    alice.stream(0.5, audio=True)
    alice.send_frame(0, 2, key=True, source="screen")
    simulation.run(1)
    assert len(frames(bob.got())) == 15
    assert len(bob.got("video", -1)) == 2
    assert len(bob.got("audio")) == 25


async def test_a_stream_that_cannot_be_attributed_is_dropped_until_it_can(simulation: Simulation) -> None:
    alice = simulation.join("alice", announce=False, screen=True)
    bob = simulation.join("bob")
    alice.send_frame(0, 2, key=True)
    simulation.run(0.2)
    assert not bob.got()
    assert simulation.router.counters.unbound == 2
    alice.mid_extension = True
    alice.send_frame(3_000, 2, key=True)
    simulation.run(0.2)
    assert list(frames(bob.got())) == [3_000]


async def test_a_screen_is_shown_on_the_stage_and_leaves_it(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    alice.screen = True
    assert alice.offer().reply == "answered"
    assert simulation.of(SlotsChanged)[-1].slots == [SlotView(slot=-1, peer="alice"), SlotView(slot=0, peer="alice")]
    alice.send_frame(0, 4, key=True, source="screen")
    alice.send_frame(0, 2, key=True)
    simulation.run(0.2)
    assert len(bob.got("video", -1)) == 4
    assert len(bob.got()) == 2
    alice.screen = False
    alice.offer()
    assert simulation.of(SlotsChanged)[-1].slots == [SlotView(slot=0, peer="alice")]
    alice.stream(0.3, at=90_000)
    simulation.run(0.5)
    assert len(frames(bob.got())) == 10


async def test_the_newest_screen_is_on_stage_and_the_older_one_comes_back(simulation: Simulation) -> None:
    alice, bob, carol = (simulation.join(name, slots=2) for name in ("alice", "bob", "carol"))
    for sharing in (alice, bob):
        sharing.screen = True
        sharing.offer()
    stage = {client.name: client.peer.viewing.seats.get(-1) for client in (alice, bob, carol)}
    assert stage == {"alice": "bob", "bob": "alice", "carol": "bob"}
    bob.screen = False
    bob.offer()
    assert carol.peer.viewing.seats[-1] == "alice"


async def test_three_people_see_each_other_in_slots_of_their_own(simulation: Simulation) -> None:
    people = [simulation.join(name, slots=2) for name in ("alice", "bob", "carol")]
    for index, person in enumerate(people):
        person.stream(0.5, audio=True, at=index * 1_000_000)
    simulation.run(1)
    starts = {person.name: index * 1_000_000 for index, person in enumerate(people)}
    for person in people:
        assert sorted(person.peer.viewing.seats.values()) == sorted(set(starts) - {person.name})
        for number, name in person.peer.viewing.seats.items():
            assert min(frames(person.got("video", number))) == starts[name]
            assert len(person.got("audio", number)) == 25


async def test_a_subscriber_without_abs_send_time_gets_plain_headers(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = simulation.join("alice")
    bob = Client(simulation, "bob")
    sdp = bob.sdp()
    plain = "\r\n".join(line for line in sdp.split("\r\n") if "extmap" not in line)
    monkeypatch.setattr(bob, "sdp", lambda: plain)
    bob.connect()
    alice.stream(0.5)
    simulation.run(1)
    assert len(bob.got()) == 45
    assert all(packet.extensions == {} for packet in bob.got())


async def test_a_wrong_payload_type_goes_nowhere(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    alice.transmit(alice.packet("camera", b"\x10\x00" + TRAILER, 0, True, payload_type=99))
    alice.transmit(alice.packet("microphone", b"x" + TRAILER, 0, True, payload_type=0))
    simulation.run(0.2)
    assert not bob.got()
    assert not bob.got("audio")
