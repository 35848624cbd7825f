"""Whoever is let into a group may send anything: of the others nobody sees or hears it."""

import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial

import pytest

from media.control import Answered, Line, OfferCall, Refused, SetSizes, SlotSize
from media.forwarding.peer import MAX_SSRCS
from media.wire import rtcp
from tests.media.client import TRAILER, Client
from tests.media.packets import sequences
from tests.media.simulation import Simulation
from tests.media.test_hostile_input import ELSEWHERE, counters
from tests.media.test_layers import layers, number_of, pictures

SECONDS = 4
RIDS = ("q", "h", "f")


@dataclass
class Group:
    """Alice and Mallory send layers, Carol one stream, Bob nothing but sound."""

    simulation: Simulation
    alice: Client
    bob: Client
    carol: Client
    mallory: Client

    def often(self, rate: int, act: Callable[[], object]) -> None:
        """From now on, for as long as is looked at."""
        for index in range(SECONDS * rate):
            self.simulation.at(self.simulation.now + index / rate, act)

    def video_ssrcs(self) -> list[int]:
        return [self.mallory.out_ssrcs("video", number)[0] for number in range(3)]


@pytest.fixture
async def group(simulation: Simulation) -> AsyncIterator[Group]:
    simulation.open(capacity=5)
    alice = simulation.join("alice", slots=3, rids=RIDS, answers_requests=True)
    bob, carol = (simulation.join(name, slots=3, answers_requests=True) for name in ("bob", "carol"))
    mallory = simulation.join("mallory", slots=3, rids=RIDS)
    alice.stream_layers(2)
    simulation.run(2.2)
    yield Group(simulation, alice, bob, carol, mallory)
    assert counters(simulation)["errors"] == 0


def storm_of_nacks(group: Group) -> None:
    everything = [rtcp.nack(1, ssrc, range(0, 65_536, 19)[:80]) for ssrc in group.video_ssrcs()]
    group.often(190, lambda: group.mallory.transmit_rtcp(*everything))


def storm_of_plis(group: Group) -> None:
    plis = [rtcp.pli(1, ssrc) for ssrc in group.video_ssrcs()]
    group.often(190, lambda: group.mallory.transmit_rtcp(*plis, rtcp.fir(1, [(group.video_ssrcs()[0], 1)])))


def forged_estimates(group: Group) -> None:
    others = [*group.video_ssrcs(), group.bob.out_ssrcs("video", 0)[0], group.alice.layer_ssrc("f")]
    for rate in (1, 2**63 - 1):
        group.often(20, partial(group.mallory.transmit_rtcp, rtcp.remb(1, rate, others)))


def all_is_lost(group: Group) -> None:
    slots = [group.mallory.out_ssrcs(kind, number)[0] for kind in ("audio", "video") for number in range(3)]

    def report(second: int) -> None:
        blocks = [rtcp.ReportBlock(ssrc, 255, 50 * second, 1_000 + 50 * second, 2**31, 1, 1) for ssrc in slots]
        group.mallory.transmit_rtcp(rtcp.receiver_report(1, blocks))

    for second in range(1, SECONDS):
        group.simulation.at(group.simulation.now + second, partial(report, second))


def flood_of_ssrcs(group: Group) -> None:
    mallory = group.mallory

    def send(ssrc: int) -> None:
        rid = RIDS[ssrc % 3] if ssrc % 2 else "nobody"[: 1 + ssrc % 6]
        mallory.rids = (*RIDS, rid) if rid not in RIDS else RIDS
        mallory.transmit(mallory.packet("camera", b"\x10\0" + TRAILER, ssrc, True, ssrc=ssrc, rid=rid))
        mallory.rids = RIDS

    for index in range(SECONDS * 300):
        group.simulation.at(group.simulation.now + index / 300, partial(send, 50_000 + index))


def the_largest_on_a_thin_line(group: Group) -> None:
    sizes = [SlotSize(slot=number, height=8_192, pinned=True) for number in range(3)]
    call = SetSizes(room="room", fence=1, peer="mallory", sizes=sizes)
    group.often(4, lambda: group.simulation.router.handle(call))
    all_is_lost(group)
    group.often(4, lambda: group.mallory.transmit_rtcp(rtcp.remb(1, 200_000, group.video_ssrcs())))


def noise(group: Group) -> None:
    """Of her own streams: padding alone, numbers that jump, frames that never end."""

    def send(index: int) -> None:
        kind = index % 3
        if kind == 0:
            group.mallory.transmit(group.mallory.packet("camera", b"", index, padding=200, rid="q"))
        elif kind == 1:
            group.mallory.sequences["h"] = index * 977 & 0xFFFF
            group.mallory.transmit(group.mallory.packet("camera", b"\x10\1" + bytes(500), index, rid="h"))
        else:
            group.mallory.transmit(group.mallory.packet("camera", b"\x10\1" + bytes(900), 7, rid="f"))

    for index in range(SECONDS * 300):
        group.simulation.at(group.simulation.now + index / 300, partial(send, index))


STORMS = [
    storm_of_nacks,
    storm_of_plis,
    forged_estimates,
    all_is_lost,
    flood_of_ssrcs,
    the_largest_on_a_thin_line,
    noise,
]


@pytest.mark.parametrize("attack", STORMS)
async def test_the_others_see_and_hear_nothing_of_it(group: Group, attack: Callable[[Group], None]) -> None:
    simulation, alice, carol = group.simulation, group.alice, group.carol
    began, asked = simulation.now, len(alice.keyframe_requests(alice.layer_ssrc("f")))
    heard = {name: len(viewer.got("audio", number_of(viewer, "alice"))) for name, viewer in viewers(group).items()}
    alice.stream_layers(SECONDS, at=900_000, key=False)
    alice.stream(SECONDS, rate=0, audio=True)
    carol.stream(SECONDS)
    attack(group)
    simulation.run(SECONDS + 0.2)
    for name, viewer in viewers(group).items():
        got = [packet for packet in pictures(viewer) if packet.at > began]
        assert layers(got[5:-5]) <= {4, 5}, f"{name} is shown the largest all the time"
        assert sequences(got) == list(range(len(got)))
        assert len(got) >= 5 * 30 * SECONDS - 10
        assert len(viewer.got("audio", number_of(viewer, "alice"))) - heard[name] == 50 * SECONDS
    assert len(pictures(group.bob, "carol")) >= 3 * 30 * SECONDS - 3
    assert not alice.nacks()
    assert len(alice.keyframe_requests(alice.layer_ssrc("f"))) - asked <= 2 + SECONDS // 2
    assert len(group.mallory.peer._ssrcs) <= MAX_SSRCS


def viewers(group: Group) -> dict[str, Client]:
    return {"bob": group.bob, "carol": group.carol}


async def test_who_asks_for_the_largest_on_a_thin_line_is_sent_what_fits(group: Group) -> None:
    simulation, alice, mallory = group.simulation, group.alice, group.mallory
    alice.stream_layers(SECONDS, at=900_000, key=False)
    the_largest_on_a_thin_line(group)
    simulation.run(SECONDS + 0.2)
    late = [packet for packet in pictures(mallory) if packet.at > simulation.now - 1]
    assert sum(len(packet.payload) for packet in late) * 8 < 1_200_000, "the largest takes 1.5 million"


async def test_twelve_screens_are_refused_and_nobodys_stage_changes(group: Group) -> None:
    mallory = group.mallory
    mallory.screen = True
    lines = [offered.line for offered in mallory.lines()]
    screens = [Line(mid=lines[-1].mid, use="screen")] * 12
    call = OfferCall(room="room", fence=1, peer="mallory", sdp=mallory.sdp(), lines=[*lines[:-1], *screens])
    reply = group.simulation.router.handle(call)
    assert isinstance(reply, Refused)
    assert reply.code == "sdp_invalid"
    assert all(-1 not in viewer.peer.viewing.seats for viewer in (group.alice, group.bob, group.carol))


async def test_a_screen_after_another_takes_the_stage_and_gives_it_back(group: Group) -> None:
    """One who shares again and again gets no more than the one stage, and whoever shared before has it afterwards."""
    simulation, carol, mallory = group.simulation, group.carol, group.mallory
    carol.screen = True
    assert isinstance(carol.offer(), Answered)
    assert group.bob.peer.viewing.seats[-1] == "carol"
    for turn in range(12):
        mallory.screen = turn % 2 == 0
        assert isinstance(mallory.offer(), Answered)
        simulation.run(0.05)
    assert group.bob.peer.viewing.seats[-1] == "carol"
    assert len(group.bob.peer.viewing.slots) == 2 * 3 + 1


async def test_a_flood_of_each_kind_is_counted_and_leaves_no_line_in_the_log(
    group: Group, caplog: pytest.LogCaptureFixture
) -> None:
    simulation, mallory = group.simulation, group.mallory
    caplog.set_level(logging.DEBUG)
    check, before = mallory.binding_request(), counters(simulation)
    forged = mallory.binding_request(password="x" * 24)
    for number in range(1_000):
        for key in (mallory.key, ELSEWHERE):
            for data in (check, forged, check[:20], b"\x80\x60" + number.to_bytes(2, "big") + bytes(40), bytes(2_000)):
                simulation.deliver(data, key)
        mallory.transmit(mallory.packet("camera", bytes(20), 0, ssrc=77_000 + number, payload_type=78))
        mallory.transmit_rtcp(b"\x80\xc9\x00\x20" + bytes(4))
    simulation.run(1)
    after = counters(simulation)
    counted = {name for name in after if after[name] - before[name] >= 100}
    assert counted >= {
        "unknown_source", "oversize", "bad_tag", "unbound", "stun_malformed", "stun_limited", "rtcp_limited",
    }  # fmt: skip
    assert [record.getMessage() for record in caplog.records] == []
