"""Calls about rooms and peers: idempotent, fenced, bounded."""

import asyncio
import gc
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from media.control import (
    Answered,
    CloseRoom,
    Inspect,
    Inspected,
    Line,
    OfferCall,
    PeerState,
    Refused,
    RemovePeer,
    RequestKeyframe,
    SlotsChanged,
    SlotView,
    UnencryptedSeen,
)
from media.refusals import OfferReason
from tests.media.client import Client
from tests.media.simulation import Simulation

OFFERS = Path(__file__).parent / "wire" / "offers"
REASONS = set(get_args(OfferReason))


async def test_opening_again_is_harmless_and_a_higher_fence_starts_anew(simulation: Simulation) -> None:
    simulation.join("alice")
    assert simulation.open(capacity=3).reply == "opened"
    assert "alice" in simulation.router.rooms["room"].peers
    assert simulation.open(fence=2).reply == "opened"
    assert not simulation.router.rooms["room"].peers
    assert simulation.open(fence=1) == Refused(code="fenced")


@pytest.mark.parametrize("fence", [0, 2])
async def test_calls_with_another_fence_are_refused(simulation: Simulation, fence: int) -> None:
    alice = Client(simulation, "alice", fence=fence)
    assert alice.offer() == Refused(code="fenced")
    for call in (
        RemovePeer(room="room", fence=fence, peer="alice"),
        CloseRoom(room="room", fence=fence),
        RequestKeyframe(room="room", fence=fence, peer="alice", source="camera"),
    ):
        assert simulation.router.handle(call) == Refused(code="fenced")
    assert "room" in simulation.router.rooms


async def test_closing_and_removing_twice_is_harmless(simulation: Simulation) -> None:
    simulation.join("alice")
    for _ in range(2):
        assert simulation.router.handle(RemovePeer(room="room", fence=1, peer="alice")).reply == "done"
    for _ in range(2):
        assert simulation.router.handle(CloseRoom(room="room", fence=1)).reply == "done"
    assert simulation.router.handle(RemovePeer(room="room", fence=1, peer="alice")).reply == "done"
    assert Client(simulation, "alice").offer() == Refused(code="no_room")


async def test_a_room_takes_as_many_as_it_has_room_for(simulation: Simulation) -> None:
    for name in ("alice", "bob", "carol"):
        simulation.join(name)
    assert Client(simulation, "dave").offer() == Refused(code="room_full")
    simulation.router.handle(RemovePeer(room="room", fence=1, peer="bob"))
    assert isinstance(Client(simulation, "dave").offer(), Answered)


async def test_a_worker_takes_as_many_rooms_as_it_is_set_to(simulation: Simulation) -> None:
    simulation.router._rooms._max_rooms = 3
    replies = [simulation.open(f"room{index}").reply for index in range(5)]
    assert replies == ["opened", "opened", "refused", "refused", "refused"]


async def test_whoever_comes_is_told_who_is_where_and_so_are_the_others(simulation: Simulation) -> None:
    alice = simulation.join("alice")
    assert alice.answer is not None
    assert alice.answer.slots == []
    bob = simulation.join("bob")
    assert bob.answer is not None
    assert bob.answer.slots == [SlotView(slot=0, peer="alice")]
    changed = simulation.of(SlotsChanged)
    assert [(event.peer, event.slots) for event in changed] == [("alice", [SlotView(slot=0, peer="bob")])]


async def test_a_peer_keeps_its_slot_when_another_leaves(simulation: Simulation) -> None:
    alice, bob, carol = (simulation.join(name, slots=2) for name in ("alice", "bob", "carol"))
    assert carol.peer.viewing.seats == {0: "alice", 1: "bob"}
    simulation.router.handle(RemovePeer(room="room", fence=1, peer="alice"))
    assert carol.peer.viewing.seats == {1: "bob"}
    simulation.join("dave", slots=2)
    assert carol.peer.viewing.seats == {0: "dave", 1: "bob"}
    assert bob.peer.viewing.seats.keys() == {0, 1}
    assert alice.name not in carol.peer.viewing.seats.values()


async def test_a_new_fingerprint_is_a_new_transport_in_the_same_place(simulation: Simulation) -> None:
    alice, bob = simulation.join("alice"), simulation.join("bob")
    alice.stream(0.5)
    simulation.run(0.6)
    before = alice.peer
    again = simulation.join("alice")
    assert again.peer is not before
    assert len(simulation.router.rooms["room"].peers) == 2
    assert bob.peer.viewing.seats == {0: "alice"}
    again.stream(0.5, at=90_000)
    simulation.run(0.6)
    assert len(bob.got()) == 90


async def test_an_answer_is_the_same_for_the_same_offer_but_for_its_version(simulation: Simulation) -> None:
    alice = simulation.join("alice")
    assert alice.answer is not None
    first = alice.answer.sdp
    alice.offer()
    second = alice.answer.sdp
    origin = first.split("\r\n")[1]
    assert second == first.replace(origin, origin.replace(" 1 IN", " 2 IN"))


async def test_an_answer_offers_no_audio_level(simulation: Simulation) -> None:
    """The relay would learn who speaks, and does not need it."""
    for file in OFFERS.glob("*.sdp"):
        sdp = file.read_text()
        if "ssrc-audio-level" in sdp:
            mid = sdp.split("m=audio")[1].split("a=mid:")[1].split()[0]
            reply = simulation.router.handle(
                OfferCall(room="room", fence=1, peer=file.stem, sdp=sdp, lines=[Line(mid=mid, use="microphone")])
            )
            if isinstance(reply, Answered):
                assert "audio-level" not in reply.sdp


def without(text: str, part: str) -> str:
    return "\r\n".join(line for line in text.split("\r\n") if part not in line)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda sdp, lines: (sdp, [*lines, Line(mid="9", use="screen")]), id="line not in the offer"),
        pytest.param(lambda sdp, lines: (sdp, [*lines, lines[0]]), id="line twice"),
        pytest.param(lambda sdp, lines: (sdp, [Line(mid="0", use="camera")]), id="sound as camera"),
        pytest.param(lambda sdp, lines: (sdp, [Line(mid="2", use="microphone")]), id="receiving line as microphone"),
        pytest.param(lambda sdp, lines: (sdp, [Line(mid="0", use="slot", slot=0)]), id="sending line as slot"),
        pytest.param(lambda sdp, lines: (sdp, [Line(mid="2", use="slot")]), id="slot without number"),
        pytest.param(lambda sdp, lines: (sdp, [Line(mid="2", use="slot", slot=-1)]), id="slot with the stage's number"),
        pytest.param(lambda sdp, lines: (sdp, [Line(mid="2", use="slot", slot=9_999)]), id="slot far away"),
        pytest.param(lambda sdp, lines: (without(sdp, "fingerprint"), lines), id="no fingerprint"),
        pytest.param(lambda sdp, lines: (sdp.replace("sha-256", "sha-1"), lines), id="weak fingerprint"),
        pytest.param(lambda sdp, lines: (sdp + "m=audio 9 RTP/AVP 0\r\n" * 400, lines), id="400 lines"),
        pytest.param(lambda sdp, lines: (sdp + "a=x\r\n" * 30_000, lines), id="too large"),
        pytest.param(lambda sdp, lines: ("", lines), id="empty"),
        pytest.param(lambda sdp, lines: ("\0" * 1_000, lines), id="zeros"),
    ],
)
async def test_an_offer_that_cannot_be_taken_is_refused_and_changes_nothing(
    simulation: Simulation, change: Callable[[str, list[Line]], tuple[str, list[Line]]]
) -> None:
    alice = simulation.join("alice")
    bob = simulation.join("bob")
    lines = [offered.line for offered in alice.lines()]
    sdp, lines = change(alice.sdp(), lines)
    reply = simulation.router.handle(OfferCall(room="room", fence=1, peer="alice", sdp=sdp, lines=lines))
    assert isinstance(reply, Refused)
    assert (reply.code, reply.reason in REASONS) == ("sdp_invalid", True)
    alice.stream(0.3)
    simulation.run(0.5)
    assert len(bob.got()) == 27


async def test_a_stranger_with_a_bad_offer_gets_no_place(simulation: Simulation) -> None:
    call = OfferCall(room="room", fence=1, peer="x", sdp="v=0", lines=[Line(mid="0", use="camera")])
    assert simulation.router.handle(call) == Refused(code="sdp_invalid", reason="not_sdp")
    assert not simulation.router.rooms["room"].peers


async def test_lines_that_no_longer_send_stop_being_published(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = simulation.join("alice"), simulation.join("bob")
    sdp = alice.sdp()
    monkeypatch.setattr(alice, "sdp", lambda: sdp.replace("a=sendonly", "a=inactive"))
    assert isinstance(alice.offer(), Answered)
    assert alice.peer.publications == {}
    assert all(slot.source is None for slot in bob.peer.viewing.slots.values())


async def test_counters_are_there_for_metrics(simulation: Simulation) -> None:
    alice, _ = simulation.join("alice"), simulation.join("bob")
    alice.stream(1)
    simulation.run(1.1)
    reply = simulation.router.handle(Inspect())
    assert isinstance(reply, Inspected)
    assert (reply.rooms, reply.peers) == (1, 2)
    assert reply.counters["forwarded"] == 90
    assert reply.counters["received"] >= 92
    simulation.router.handle(CloseRoom(room="room", fence=1))
    reply = simulation.router.handle(Inspect())
    assert isinstance(reply, Inspected)
    assert reply.counters["forwarded"] == 90, "a counter never falls"


async def test_events_carry_room_and_fence(simulation: Simulation) -> None:
    simulation.open("other", fence=7)
    alice = simulation.join("alice", room="other", fence=7)
    simulation.join("bob", room="other", fence=7)
    alice.send_audio(0, encrypted=False)
    simulation.run(0.1)
    kinds = (PeerState, SlotsChanged, UnencryptedSeen)
    events = [event for kind in kinds for event in simulation.of(kind)]
    assert {(event.room, event.fence) for event in events} == {("other", 7)}
    assert len({type(event) for event in events}) == 3


async def test_an_empty_room_is_forgotten_after_an_hour(simulation: Simulation) -> None:
    for _ in range(3_700):
        simulation.now += 1
        for _ in range(50):
            simulation.router._ticks += 1
        simulation.router._expire(simulation.now)
    assert not simulation.router.rooms


async def test_rooms_are_apart(simulation: Simulation) -> None:
    simulation.open("other")
    people = [simulation.join(name, room=room) for room in ("room", "other") for name in ("alice", "bob")]
    people[0].stream(0.5, audio=True)
    simulation.run(0.7)
    assert len(people[1].got()) == 45
    assert not people[2].received
    assert not people[3].received


async def test_who_leaves_is_freed_without_the_garbage_collector(simulation: Simulation) -> None:
    gc.collect()
    gc.disable()
    try:
        alice, bob = simulation.join("alice"), simulation.join("bob")
        for client in (alice, bob):
            client.stream(0.3, audio=True)
        simulation.run(0.5)
        peer, publication = alice.peer, alice.peer.publications["camera"].streams[0]
        slot = next(iter(peer.viewing.slots.values()))
        left = [weakref.ref(part) for part in (peer, peer.transport, publication, slot, publication.ring)]
        del peer, publication, slot
        simulation.router.handle(RemovePeer(room="room", fence=1, peer="alice"))
        await asyncio.sleep(0.05)
        assert [part() for part in left] == [None] * 5
    finally:
        gc.enable()
