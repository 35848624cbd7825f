"""A group: each viewer gets one layer of a source, as large as it shows it, and goes on without a break."""

from functools import partial
from itertools import pairwise
from struct import unpack_from

import pytest

from media.control import SetSizes, SlotsChanged, SlotSize
from media.forwarding.layered_slot import LayeredSlot
from media.forwarding.thinning import Thinning
from media.wire import rtcp
from media.wire.vp8 import parse
from tests.media.client import LINES, TRAILER, Client
from tests.media.link import lossy, never
from tests.media.packets import Packet, sequences
from tests.media.simulation import Simulation

RIDS = ("q", "h", "f")


@pytest.fixture
async def group(simulation: Simulation) -> tuple[Client, Client]:
    """Alice sends three layers, Bob none; a third may come."""
    alice = simulation.join("alice", slots=2, rids=RIDS, answers_requests=True)
    bob = simulation.join("bob", slots=2, answers_requests=True)
    return alice, bob


def number_of(viewer: Client, name: str) -> int:
    """The slot in which somebody is shown."""
    return next(number for number, seated in viewer.peer.viewing.seats.items() if seated == name)


def pictures(viewer: Client, name: str = "alice") -> list[Packet]:
    return viewer.got("video", number_of(viewer, name))


def layers(packets: list[Packet]) -> set[int]:
    """How many packets the pictures have: 1, 3, 5 of the three layers."""
    by_time: dict[int, int] = {}
    for packet in packets:
        by_time[packet.timestamp] = by_time.get(packet.timestamp, 0) + 1
    return set(by_time.values())


def show(simulation: Simulation, viewer: Client, name: str, height: int) -> None:
    sizes = [SlotSize(slot=number_of(viewer, name), height=height)]
    simulation.router.handle(SetSizes(room="room", fence=1, peer=viewer.name, sizes=sizes))


async def test_an_answer_takes_all_layers_and_never_the_dependencies(group: tuple[Client, Client]) -> None:
    alice, bob = group
    assert alice.answer is not None
    assert bob.answer is not None
    assert "a=simulcast:recv q;h;f\r\n" in alice.answer.sdp
    assert [f"a=rid:{rid} recv\r\n" in alice.answer.sdp for rid in RIDS] == [True] * 3
    assert "repaired-rtp-stream-id" in alice.answer.sdp
    assert "dependency-descriptor" not in alice.answer.sdp
    assert "simulcast" not in bob.answer.sdp


async def test_the_smallest_comes_first_and_then_the_one_that_is_shown(
    simulation: Simulation, group: tuple[Client, Client]
) -> None:
    alice, bob = group
    alice.stream_layers(6)
    simulation.run(6.2)
    got = pictures(bob)
    assert layers(got[:2]) == {1}
    assert layers(got[-50:]) == {5}
    assert sequences(got) == list(range(len(got)))
    assert not alice.nacks()


async def test_a_thumbnail_gets_the_smallest_layer_and_a_hidden_one_nothing(
    simulation: Simulation, group: tuple[Client, Client]
) -> None:
    alice, bob = group
    alice.stream_layers(12)
    show(simulation, bob, "alice", LINES[0])
    simulation.run(4)
    assert layers(pictures(bob)) == {1}
    show(simulation, bob, "alice", 0)
    simulation.run(0.5)
    before = len(pictures(bob))
    simulation.run(2)
    assert len(pictures(bob)) == before
    assert not any(view.paused for event in simulation.of(SlotsChanged) for view in event.slots)
    show(simulation, bob, "alice", LINES[1])
    simulation.run(3)
    assert layers(pictures(bob)[-21:]) == {3}


async def test_a_switch_leaves_no_gap_and_time_goes_on(simulation: Simulation, group: tuple[Client, Client]) -> None:
    alice, bob = group
    alice.stream_layers(12)
    for second, height in enumerate((180, 720, 360, 720, 180, 360)):
        simulation.at(simulation.now + 2 * second, partial(show, simulation, bob, "alice", height))
    simulation.run(12.2)
    got = pictures(bob)
    assert layers(got) == {1, 3, 5}
    assert sequences(got) == list(range(len(got)))
    times = list(dict.fromkeys(packet.timestamp for packet in got))
    steps = [(after - before) & 0xFFFF_FFFF for before, after in pairwise(times)]
    assert all(0 < step < 90_000 // 3 for step in steps), steps
    # Two pictures of the same moment in two sizes are both right; none is left out for long.
    assert max(steps) < 90_000 // 10


async def test_who_is_shown_a_thumbnail_changes_nothing_for_others(
    simulation: Simulation, group: tuple[Client, Client]
) -> None:
    alice, bob = group
    carol = simulation.join("carol", slots=2, answers_requests=True)
    alice.stream_layers(8)
    show(simulation, bob, "alice", LINES[0])
    show(simulation, carol, "alice", LINES[2])
    simulation.run(8.2)
    assert layers(pictures(bob)) == {1}
    assert layers(pictures(carol)[-50:]) == {5}


async def test_key_frames_are_asked_for_once_for_all_layers(
    simulation: Simulation, group: tuple[Client, Client]
) -> None:
    alice, bob = group
    carol = simulation.join("carol", slots=2, answers_requests=True)
    alice.stream_layers(10)
    simulation.run(4)
    asked = len(alice.feedback)
    for _ in range(20):
        for viewer in (bob, carol):
            number = number_of(viewer, "alice")
            viewer.transmit_rtcp(rtcp.pli(1, viewer.out_ssrcs("video", number)[0]))
        simulation.run(0.1)
    messages = {at for at, packet in alice.feedback[asked:] if isinstance(packet, rtcp.PictureLoss)}
    assert 1 <= len(messages) <= 5


async def test_a_layer_that_is_never_sent_is_none(simulation: Simulation, group: tuple[Client, Client]) -> None:
    alice, bob = group
    for index in range(150):
        sent = partial(alice.send_picture, index * 3_000, key=index % 30 == 0, rids=("q", "h"))
        simulation.at(simulation.now + index / 30, sent)
    simulation.run(5.2)
    assert layers(pictures(bob)[-21:]) == {3}


async def test_a_layer_that_dies_is_left_for_the_next_best(
    simulation: Simulation, group: tuple[Client, Client]
) -> None:
    alice, bob = group

    def sent(index: int) -> None:
        alice.send_picture(index * 3_000, key=index % 15 == 0, rids=RIDS if index < 120 else ("q",))

    for index in range(300):
        simulation.at(simulation.now + index / 30, partial(sent, index))
    simulation.run(4)
    assert layers(pictures(bob)[-20:]) == {5}
    simulation.run(6)
    assert layers(pictures(bob)[-20:]) == {1}


async def test_an_unknown_layer_is_counted_and_goes_nowhere(
    simulation: Simulation, group: tuple[Client, Client]
) -> None:
    alice, bob = group
    packet = alice.packet("camera", b"\x10\0" + bytes(50) + TRAILER, 0, True, rid="q")
    alice.transmit(packet.replace(b"\xa0q", b"\xa0x"))
    simulation.run(0.2)
    assert simulation.router.counters.unbound == 1
    assert not pictures(bob)


async def test_a_layer_in_clear_stops_all_of_them(simulation: Simulation, group: tuple[Client, Client]) -> None:
    alice, bob = group
    alice.stream_layers(4)
    simulation.run(2)
    alice.transmit(alice.packet("camera", b"\x90\xe0\x80\x01\x01\x00" + bytes(900), 900_000, True, rid="q"))
    simulation.run(0.1)
    before = len(pictures(bob))
    simulation.run(1.5)
    assert len(pictures(bob)) == before


async def test_losses_of_a_layer_are_repaired(simulation: Simulation, group: tuple[Client, Client]) -> None:
    alice, bob = group
    alice.stream_layers(5)
    simulation.run(2)
    alice.link.up = lossy(0.05, seed=3)
    simulation.run(2.5)
    alice.link.up = never
    simulation.run(1)
    got = set(sequences(pictures(bob)))
    assert alice.nacks()
    assert got == set(range(len(got)))


# --- temporal layers -------------------------------------------------------------------------------------------------


def budget(viewer: Client, bits: int | None) -> None:
    """What the viewer's line takes."""
    viewer.peer.transport.downlink._bound = bits


async def test_on_a_thin_line_frames_are_left_out_whole_and_nobody_sees_a_gap(
    simulation: Simulation, group: tuple[Client, Client]
) -> None:
    alice, bob = group
    alice.stream_layers(8)
    simulation.run(2)
    # The smallest layer takes some 220 kbit/s.
    budget(bob, 160_000)
    simulation.run(6.2)
    got = pictures(bob)
    thin = got[-20:]
    assert {parse(packet.payload).temporal_layer for packet in thin} == {0, 1}
    assert sequences(got) == list(range(len(got)))
    identities = [parse(packet.payload).picture_id or 0 for packet in thin]
    assert identities == list(range(identities[0], identities[0] + len(thin)))


async def test_what_was_thinned_is_sent_again_as_it_was(simulation: Simulation, group: tuple[Client, Client]) -> None:
    alice, bob = group
    alice.stream_layers(6)
    simulation.run(2)
    budget(bob, 160_000)
    simulation.run(3)
    number = number_of(bob, "alice")
    ssrc, _ = bob.out_ssrcs("video", number)
    wanted = pictures(bob)[-6:]
    bob.transmit_rtcp(rtcp.nack(1, ssrc, [packet.sequence for packet in wanted]))
    simulation.run(0.2)
    again = {unpack_from("!H", packet.payload)[0]: packet.payload[2:] for packet in bob.repaired(number)}
    assert again == {packet.sequence: packet.payload for packet in wanted}


async def test_below_the_least_a_picture_pauses_with_a_word_and_comes_back(
    simulation: Simulation, group: tuple[Client, Client]
) -> None:
    alice, bob = group
    alice.stream_layers(12)
    simulation.run(3)
    budget(bob, 30_000)
    simulation.run(2)
    before = len(pictures(bob))
    simulation.run(1)
    assert len(pictures(bob)) == before
    assert [view.paused for view in simulation.of(SlotsChanged)[-1].slots if view.peer == "alice"] == [True]
    budget(bob, None)
    simulation.run(3)
    assert len(pictures(bob)) > before + 20
    assert [view.paused for view in simulation.of(SlotsChanged)[-1].slots if view.peer == "alice"] == [False]


def frame(temporal: int, picture: int, *, alone: bool = False, key: bool = False) -> bytes:
    return bytes([0x90, 0xE0, 0x80 | picture >> 8, picture & 0xFF, 0, temporal << 6 | alone << 5, not key, 9, 9])


def test_a_temporal_layer_rises_at_a_frame_that_leans_on_nothing_left_out() -> None:
    thinning = Thinning(0)
    assert thinning.thin(0, 0, frame(0, 7)) == (0, frame(0, 7))
    assert thinning.thin(1, 1, frame(2, 8, alone=True)) is None
    assert thinning.thin(2, 2, frame(1, 9, alone=True)) is None
    thinning.wanted = 2
    assert thinning.thin(3, 3, frame(2, 10)) is None
    assert thinning.thin(4, 4, frame(0, 11)) == (1, frame(0, 8))
    assert thinning.thin(5, 5, frame(1, 12)) is None
    assert thinning.thin(6, 6, frame(1, 13, alone=True)) == (2, frame(1, 9, alone=True))
    assert thinning.thin(7, 7, frame(2, 14)) is None
    assert thinning.thin(8, 8, frame(2, 15, alone=True)) == (3, frame(2, 10, alone=True))
    assert [thinning.stored_number(number) for number in range(4)] == [0, 4, 6, 8]


def test_a_late_packet_of_a_frame_that_went_out_finds_its_number() -> None:
    thinning = Thinning(0)
    for number, (time, layer) in enumerate([(0, 0), (0, 0), (1, 2), (1, 2), (2, 0), (2, 0)]):
        if number != 4:
            thinning.thin(number, time, frame(layer, time))
    assert thinning.thin(4, 2, frame(0, 2)) == (2, frame(0, 1))
    assert thinning.thin(3, 1, frame(2, 1)) is None


async def test_a_slot_of_two_is_a_plain_one(simulation: Simulation) -> None:
    simulation.open("two", capacity=2)
    alice, bob = (simulation.join(name, room="two") for name in ("alice", "bob"))
    alice.stream(0.5)
    simulation.run(0.7)
    assert not any(isinstance(slot, LayeredSlot) for slot in bob.peer.viewing.slots.values())
