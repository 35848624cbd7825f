"""Whatever is in a packet: nothing breaks, nothing grows, and calls go on."""

import os
import random
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import product
from struct import pack

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media.control import Inspect, Inspected
from media.forwarding.peer import MAX_SSRCS
from media.refusals import DATAGRAMS
from media.session.dtls import forget_source
from media.wire import rtcp
from media.wire.rtp import find_extension, machine_word, one_byte_extensions, payload_bounds
from tests.media.client import TRAILER, Client
from tests.media.packets import frames
from tests.media.simulation import Simulation

Pair = tuple[Client, Client]
ELSEWHERE = b"\2\0\x99\x99\1\2\3\4"

CLIENT_HELLO = (
    bytes.fromhex("16feff000000000000000000360100002a000000000000002afefd")
    + bytes(32)
    + bytes.fromhex("00000002000001 00".replace(" ", ""))
)
ALERT = bytes.fromhex("15feff00000000000000000002022f")


def counters(simulation: Simulation) -> dict[str, int]:
    reply = simulation.router.handle(Inspect())
    assert isinstance(reply, Inspected)
    return reply.counters


async def test_garbage_from_anywhere_ends_no_call(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    dice = random.Random(1)
    shapes = [b"", b"\0", b"\x80", b"\xff" * 12, CLIENT_HELLO, ALERT, bytes(2_000), b"\x80\xc8" + bytes(10)]
    alice.stream(2, audio=True)
    for index in range(2_000):
        data = dice.choice([*shapes, dice.randbytes(dice.randrange(1, 1_900))])
        key = dice.choice([ELSEWHERE, alice.key, bob.key])
        simulation.at(simulation.now + index / 1_000, partial(simulation.deliver, data, key))
    simulation.run(2.2)
    assert len(frames(bob.got())) == 60
    assert len(bob.got("audio")) == 100
    assert counters(simulation)["errors"] == 0


async def test_each_kind_of_refused_packet_is_counted_under_its_name(simulation: Simulation) -> None:
    alice = simulation.join("alice")
    alice.keep_alive(60)
    packet = alice.packet("microphone", bytes(20) + TRAILER, 0, True)
    sent: list[bytes] = []

    def kept(data: bytes) -> bool:
        sent.append(data)
        return True

    alice.link.up = kept
    alice.transmit(packet)
    alice.transmit_rtcp(rtcp.pli(1, 2))
    alice.link.up = lambda _: False
    check = alice.binding_request()

    def deliver(packets: Iterable[bytes], keys: Sequence[bytes] = (alice.key,)) -> None:
        for data, key in product(packets, keys):
            simulation.deliver(data, key)

    def times(count: int, step: Callable[[], None]) -> Callable[[], None]:
        def steps() -> None:
            for _ in range(count):
                step()

        return steps

    def stranger() -> None:
        for number in range(MAX_SSRCS + 5):
            alice.transmit_rtcp(rtcp.receiver_report(5_000 + number, []))
        simulation.run(0.1)

    steps: dict[str, Callable[[], None]] = {
        "unknown_source": lambda: simulation.deliver(packet, ELSEWHERE),
        "oversize": lambda: simulation.deliver(bytes(2_000), alice.key),
        "malformed": lambda: alice.transmit(alice.packet("microphone", bytes(20), 0, payload_type=77)),
        "bad_tag": lambda: simulation.deliver(sent[0][:-1] + bytes([sent[0][-1] ^ 1]), alice.key),
        "replayed": lambda: deliver((*sent, *sent)),
        "unbound": lambda: alice.transmit(alice.packet("camera", bytes(20), 0, ssrc=77, payload_type=78)),
        "stun_malformed": lambda: simulation.deliver(check[:20], alice.key),
        "stun_unknown": lambda: simulation.deliver(alice.binding_request(ufrag="nobody"), alice.key),
        "stun_forged": lambda: simulation.deliver(alice.binding_request(password="x" * 24), alice.key),
        "stun_replayed": lambda: deliver([check], (alice.key, ELSEWHERE)),
        "rtcp_limited": times(500, lambda: alice.transmit_rtcp(rtcp.pli(1, 2))),
        "stun_limited": times(200, lambda: simulation.deliver(alice.binding_request(), alice.key)),
        "ssrc_limited": stranger,
    }
    assert set(steps) | {"errors"} == set(DATAGRAMS)
    for kind, step in steps.items():
        before = counters(simulation)
        step()
        simulation.run(0.1)
        after = counters(simulation)
        changed = {name for name in DATAGRAMS if after[name] > before[name]}
        assert kind in changed, kind
        assert len(changed) == 1, (kind, changed)
        simulation.run(3)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=80),
    first=st.sampled_from([0x80, 0x90, 0xA0, 0xB0, 0x8F, 0x9F, 0xBF, 0xC0]),
    identifier=st.integers(0, 15),
)
def test_no_header_leads_outside_of_its_packet(data: bytes, first: int, identifier: int) -> None:
    packet = bytes([first]) + data + bytes(max(0, 12 - len(data)))
    view = memoryview(bytes(7) + packet + os.urandom(300))
    bounds = payload_bounds(view, 7, len(packet))
    if bounds is not None:
        assert 7 + 12 <= bounds[0] <= bounds[1] <= 7 + len(packet)
    at, size = find_extension(view, 7, len(packet), identifier)
    assert at + size <= 7 + len(packet)


@given(
    st.lists(
        st.tuples(st.integers(1, 14), st.binary(min_size=1, max_size=16)),
        min_size=1,
        max_size=6,
        unique_by=lambda e: e[0],
    )
)
def test_extensions_are_found_where_they_were_written(elements: list[tuple[int, bytes]]) -> None:
    packet = memoryview(b"\x90" + bytes(11) + one_byte_extensions(elements) + b"payload")
    for identifier, value in elements:
        at, size = find_extension(packet, 0, len(packet), identifier)
        assert bytes(packet[at : at + size]) == value
    assert payload_bounds(packet, 0, len(packet)) == (len(packet) - 7, len(packet))


def test_extensions_of_the_two_byte_form_are_found() -> None:
    for form in (0x1000, 0x1007):
        block = pack("!HH", form, 2) + bytes([0, 20, 2]) + b"ab" + bytes([3, 0, 0])
        packet = memoryview(b"\x90" + bytes(11) + block)
        at, size = find_extension(packet, 0, len(packet), 20)
        assert bytes(packet[at : at + size]) == b"ab"
        assert find_extension(packet, 0, len(packet), 3) == (at + 4, 0)


async def test_a_logged_in_peer_may_send_anything(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    alice.answers_nacks = False
    dice = random.Random(2)
    bob.stream(3, audio=True)
    for index in range(3_000):
        packet = bytearray(
            alice.packet(dice.choice(["camera", "microphone"]), dice.randbytes(dice.randrange(60)), index, True)
        )
        for _ in range(dice.randrange(4)):
            packet[dice.randrange(8 if dice.random() < 0.5 else len(packet))] = dice.randrange(256)
        packet[0] = packet[0] & 0x3F | 0x80
        simulation.at(simulation.now + index / 1_000, partial(_transmit_anyway, alice, bytes(packet)))
    simulation.run(3.3)
    assert len(frames(alice.got())) == 90
    assert len(alice.got("audio")) == 150
    assert counters(simulation)["errors"] == 0


def _transmit_anyway(client: Client, data: bytes) -> None:
    """What libsrtp itself refuses to protect cannot be sent by anybody."""
    try:
        client.transmit(data)
    except AssertionError:
        return


async def test_a_flood_of_ssrcs_leaves_no_state(
    simulation: Simulation, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = pair
    forgotten: list[int] = []

    def forget(srtp: object, ssrc: int) -> None:
        forgotten.append(ssrc)
        forget_source(srtp, ssrc)

    monkeypatch.setattr("media.session.transport.forget_source", forget)
    for ssrc in range(10_000, 12_000):
        alice.transmit(alice.packet("camera", b"\x10\0" + TRAILER, ssrc, True, ssrc=ssrc, mid=True))
        if ssrc % 100 == 0:
            simulation.run(0.02)
    simulation.run(0.1)
    assert len(alice.peer.handlers) <= 4
    assert len(forgotten) >= 1_999
    assert len(alice.peer._ssrcs) <= MAX_SSRCS
    alice.stream(0.5, at=900_000)
    simulation.run(2)
    alice.stream(0.5, at=9_000_000)
    simulation.run(1)
    assert len([t for t in frames([p for p in bob.got() if len(p.payload) > 20]) if t >= 9_000_000]) == 15


async def test_rtcp_from_many_ssrcs_is_limited(simulation: Simulation, pair: Pair) -> None:
    alice, _ = pair
    for ssrc in range(1, 2_000):
        alice.transmit_rtcp(rtcp.receiver_report(ssrc))
        if ssrc % 50 == 0:
            simulation.run(0.25)
    simulation.run(0.2)
    assert len(alice.peer._ssrcs) <= MAX_SSRCS
    assert counters(simulation)["ssrc_limited"] > 1_000


async def test_an_rtcp_storm_is_limited(simulation: Simulation, pair: Pair) -> None:
    alice, _ = pair
    for _ in range(2_000):
        alice.transmit_rtcp(rtcp.receiver_report(1))
    simulation.run(0.2)
    assert counters(simulation)["rtcp_limited"] > 1_000


async def test_mutated_rtcp_is_survived(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    alice.stream(3)
    simulation.run(0.5)
    dice = random.Random(3)
    ssrc = bob.out_ssrcs("video")[0]
    block = rtcp.ReportBlock(ssrc, 255, -1, 0, 0, 1, 1)
    compounds = [
        rtcp.receiver_report(1, [block] * 31),
        rtcp.sender_report(200, 2**64 - 1, 0, 0, 0, [block]),
        rtcp.nack(1, ssrc, range(0, 65_535, 16)[:200]),
        rtcp.remb(1, 2**63, [ssrc] * 40),
        rtcp.pli(1, ssrc),
        rtcp.fir(1, [(ssrc, 1)] * 10),
        rtcp.sdes({1: "x" * 200}),
        rtcp.bye(range(31)),
    ]
    for index in range(400):
        data = bytearray(dice.choice(compounds) + dice.choice(compounds))[:1_200]
        for _ in range(dice.randrange(5)):
            data[dice.randrange(4 if dice.random() < 0.5 else len(data))] = dice.randrange(256)
        data[0] = data[0] & 0x3F | 0x80
        data[1] = 192 + data[1] % 32
        simulation.at(simulation.now + index / 190, partial(bob.transmit_rtcp, bytes(data)))
    simulation.run(3)
    assert len(frames(bob.got())) == 90
    assert counters(simulation)["errors"] == 0


async def test_jumps_of_the_sequence_number_start_the_stream_anew(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    dice = random.Random(4)
    for index in range(300):
        alice.sequences["camera"] = (alice.sequences["camera"] + dice.randrange(30_000)) & 0xFFFF
        alice.send_frame(index * 3_000, 2, key=True)
        simulation.run(0.01)
    assert len(alice.peer.publications["camera"].streams[0].missing.numbers) <= 512
    alice.stream(0.5, at=9_000_000)
    simulation.run(1)
    assert len([t for t in frames(bob.got()) if t >= 9_000_000]) == 15


async def test_an_empty_repair_packet_is_survived(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    alice.stream(0.3)
    simulation.run(0.4)
    for payload in (b"", b"\0", b"\0\0", b"\xff\xff\xff"):
        alice.transmit(alice.packet("camera", payload, 0, ssrc=201, payload_type=97, sequence=5))
        alice.transmit(alice.packet("camera", payload, 0, ssrc=201, payload_type=97, sequence=6, padding=200))
    simulation.run(0.2)
    assert len(bob.got()) == 27
    assert counters(simulation)["errors"] == 0


async def test_a_failure_in_one_packet_is_counted_and_the_next_one_served(
    simulation: Simulation, pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    alice, bob = pair

    def broken(*_: object) -> None:
        raise KeyError("203.0.113.9")

    alice.send_audio(0)
    simulation.run(0.1)
    handlers = alice.peer.handlers
    working = handlers[machine_word(100)]
    handlers[machine_word(100)] = broken
    # After a gap packets come to a handler, whoever forwards those in order.
    alice.sequences["microphone"] += 1
    for index in range(50):
        alice.send_audio(index * 960)
    simulation.run(0.1)
    handlers[machine_word(100)] = working
    alice.send_audio(96_000)
    simulation.run(0.1)
    assert counters(simulation)["errors"] == 50
    assert len(bob.got("audio")) == 2
    assert len(caplog.records) == 1, "one line a minute"
