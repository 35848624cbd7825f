"""Sender reports keep lips in sync; receiver reports and transport-wide feedback tell a publisher how it arrives."""

import itertools
from itertools import pairwise
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.control import PeerSample
from media.forwarding.reports import PublisherClock, Reception, ntp_time
from media.wire import rtcp
from tests.media.client import TRAILER, Client
from tests.media.link import lossy
from tests.media.offering import ABS_SEND_TIME, TRANSPORT_SEQUENCE
from tests.media.simulation import Simulation

Pair = tuple[Client, Client]
PUBLISHER_BEHIND = 86_400.0


def sender_report(client: Client, ssrc: int, timestamp: int, ahead: float = -PUBLISHER_BEHIND) -> bytes:
    return rtcp.sender_report(ssrc, ntp_time(client.simulation.now + 1_700_000_000 + ahead), timestamp, 1, 1)


def played_at(report: rtcp.SenderReport, timestamp: int, clock_rate: int) -> float:
    """When a receiver plays ``timestamp``, by the report: seconds of the report's clock."""
    distance = ((timestamp - report.rtp_timestamp + 0x80000000) & 0xFFFFFFFF) - 0x80000000
    return report.ntp / 2**32 + distance / clock_rate


async def test_lips_stay_in_sync_however_the_publishers_reports_were_delayed(
    simulation: Simulation, pair: Pair
) -> None:
    alice, bob = pair
    alice.stream(5, audio=True)

    def report() -> None:
        """Sound at 960 and picture at 90,000 ticks a second stand for the same moment: both streams began at once."""
        elapsed = simulation.now - began
        alice.transmit_rtcp(sender_report(alice, 100, round(elapsed * 48_000)))
        picture = sender_report(alice, 200, round(elapsed * 90_000))
        simulation.at(simulation.now + 0.150, lambda: alice.transmit_rtcp(picture))

    began = simulation.now
    for second in range(5):
        simulation.at(began + second * 0.9, report)
    simulation.run(5.2)
    for sound, picture in zip(
        [r for r in bob.reports(rtcp.SenderReport) if r.ssrc == bob.out_ssrcs("audio")[0]],
        [r for r in bob.reports(rtcp.SenderReport) if r.ssrc == bob.out_ssrcs("video")[0]],
        strict=False,
    ):
        skew = played_at(sound, 48_000 * 2, 48_000) - played_at(picture, 90_000 * 2, 90_000)
        assert abs(skew) < 0.005
    assert {r.ssrc for r in bob.reports(rtcp.SenderReport)} == {bob.out_ssrcs("audio")[0], bob.out_ssrcs("video")[0]}
    names = [name for description in bob.reports(rtcp.SourceDescription) for name in description.cnames.values()]
    assert len(set(names)) == 1


async def test_the_first_report_is_passed_on_at_once(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    alice.stream(1)
    simulation.run(0.4)
    alice.transmit_rtcp(sender_report(alice, 200, 0))
    simulation.run(0.03)
    assert bob.reports(rtcp.SenderReport)


async def test_a_publisher_whose_clock_jumps_does_not_pull_sound_and_picture_apart(
    simulation: Simulation, pair: Pair
) -> None:
    clock = PublisherClock()
    for second, jump in [(0, 0.0), (1, 0.0), (2, 7_200.0), (3, 7_200.0)]:
        for ssrc, rate in [(1, 48_000), (2, 90_000)]:
            wall = 1_700_000_000.0 + second
            clock.reported(rtcp.SenderReport(ssrc, ntp_time(wall - 5 + jump), second * rate, 0, 0, []), wall)
    sound = clock.timestamp(1, 48_000, 1_700_000_003.5)
    picture = clock.timestamp(2, 90_000, 1_700_000_003.5)
    assert sound is not None
    assert picture is not None
    assert abs(sound / 48_000 - 3.5) < 0.001
    assert abs(picture / 90_000 - 3.5) < 0.001


def test_nothing_is_reported_before_the_publisher_did() -> None:
    assert PublisherClock().timestamp(1, 90_000, 0.0) is None


async def test_a_receiver_report_tells_loss_and_highest_number(simulation: Simulation) -> None:
    alice = simulation.join("alice", answers_nacks=False)
    alice.link.up = lossy(0.2, 3)
    alice.stream(3)
    simulation.run(3.2)
    blocks = [block for report in alice.reports(rtcp.ReceiverReport) for block in report.reports if block.ssrc == 200]
    assert 0 <= alice.sequences["camera"] - 1 - (blocks[-1].highest_sequence & 0xFFFF) < 10
    assert 20 < blocks[-1].lost < 90
    assert any(30 < block.fraction_lost < 90 for block in blocks)


def test_jitter_is_small_for_steady_packets_and_grows_with_delay() -> None:
    steady, shaky = Reception(90_000), Reception(90_000)
    for frame in range(100):
        steady.frame(frame * 3_000, frame / 30)
        shaky.frame(frame * 3_000, frame / 30 + (0.02 if frame % 2 else 0.0))
    assert steady.report(0, 4.0).jitter < 10
    assert 1_000 < shaky.report(0, 4.0).jitter < 2_000


async def test_round_trip_is_measured_from_reports_about_what_was_sent(simulation: Simulation, pair: Pair) -> None:
    alice, bob = pair
    bob.link.delay = 0.080
    alice.stream(6)

    def answer() -> None:
        sent = bob.reports(rtcp.SenderReport)
        if sent:
            at = next(at for at, packet in reversed(bob.feedback) if isinstance(packet, rtcp.SenderReport))
            last, waited = sent[-1].ntp >> 16 & 0xFFFFFFFF, simulation.now - at
            block = rtcp.ReportBlock(sent[-1].ssrc, 5, 0, 0, 0, last, int(waited * 65_536))
            bob.transmit_rtcp(rtcp.receiver_report(9, [block]))

    simulation.at(simulation.now + 0.1, lambda: alice.transmit_rtcp(sender_report(alice, 200, 9_000)))
    for step in range(20):
        simulation.at(simulation.now + 0.25 * step, answer)
    simulation.run(6)
    assert abs(bob.peer.transport.rtt - 0.160) < 0.03


async def test_transport_wide_feedback_has_every_packet_that_arrived_and_when(simulation: Simulation) -> None:
    alice = simulation.join("alice")
    alice.link.up = lossy(0.1, 5)
    began = simulation.now
    alice.stream(2, audio=True)
    simulation.run(2.3)
    seen: dict[int, float] = {}
    for feedback in alice.reports(rtcp.TransportFeedback):
        for index, arrival in enumerate(feedback.arrivals):
            if arrival is not None:
                seen[feedback.base + index] = feedback.reference * 0.064 + arrival / 1e6
    total = 180 + 100
    received = simulation.router.inspect().counters["received"] - 1
    assert 0.8 * total < len(seen) <= received
    times = [seen[number] for number in sorted(seen)]
    assert times == sorted(times)
    assert 1.8 < times[-1] - times[0] < simulation.now - began
    counts = [feedback.count for feedback in alice.reports(rtcp.TransportFeedback)]
    assert counts == list(range(len(counts)))


@given(
    st.integers(0, 60_000),
    st.integers(0, 2**40),
    st.lists(st.integers(0, 255), min_size=1, max_size=700),
)
def test_the_quick_way_says_the_same_as_the_general_one(first: int, start: int, steps: list[int]) -> None:
    ticks = (
        [start + sum(steps[: index + 1]) for index in range(len(steps))] if len(steps) < 60 else [start] * len(steps)
    )
    quick = rtcp.steady_feedback(1, 2, 7, first, ticks)
    general = rtcp.transport_feedback(1, 2, 7, [(first + index, tick * 250) for index, tick in enumerate(ticks)])
    assert quick is not None
    assert [rtcp.parse(quick)] == [rtcp.parse(packet) for packet in general]


def test_the_quick_way_declines_what_it_cannot_say() -> None:
    assert rtcp.steady_feedback(1, 2, 0, 5, [1_000, 1_256]) is None
    assert rtcp.steady_feedback(1, 2, 0, 5, [1_000, 999]) is None


async def test_feedback_goes_on_across_the_second_and_the_wrap_of_its_numbers(simulation: Simulation) -> None:
    alice = simulation.join("alice")
    alice._twcc = itertools.count(65_400)
    alice.stream(3, audio=True)
    simulation.run(3.2)
    times = []
    for feedback in alice.reports(rtcp.TransportFeedback):
        times += [feedback.reference * 0.064 + arrival / 1e6 for arrival in feedback.arrivals if arrival is not None]
    assert len(times) == 3 * (90 + 50)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert max(gaps) < 0.03
    assert min(gaps) >= 0


async def test_a_publisher_that_did_not_offer_transport_wide_numbers_gets_no_feedback(simulation: Simulation) -> None:
    alice = simulation.join("alice", transport_sequence=False)
    alice.stream(1)
    simulation.run(1.2)
    assert not alice.reports(rtcp.TransportFeedback)
    assert alice.reports(rtcp.ReceiverReport)


def extended(form: int, *elements: tuple[int, bytes]) -> bytes:
    """A header extension with these ids and values, one-byte or two-byte form."""
    heads = [bytes([number << 4 | len(value) - 1]) if form == 0xBEDE else bytes([number, len(value)])
             for number, value in elements]  # fmt: skip
    body = b"".join(head + value for head, (_, value) in zip(heads, elements, strict=True))
    body += bytes(-len(body) % 4)
    return pack("!HH", form, len(body) // 4) + body


NUMBER, TIME = (TRANSPORT_SEQUENCE, b"\x12\x34"), (ABS_SEND_TIME, b"\1\2\3")
DECOY = bytes([TRANSPORT_SEQUENCE << 4 | 1]) * 16
LAYOUTS: dict[str, tuple[bytes, bool]] = {
    "first": (extended(0xBEDE, NUMBER), True),
    "second": (extended(0xBEDE, TIME, NUMBER), True),
    "third": (extended(0xBEDE, (9, b"x"), TIME, NUMBER), True),
    "two-byte form": (extended(0x1000, TIME, NUMBER), True),
    "none": (b"", False),
    "empty": (extended(0xBEDE), False),
    "others only": (extended(0xBEDE, TIME), False),
    "its byte in the value of another": (extended(0xBEDE, (9, DECOY[:7])), False),
    "its byte in a longer value": (extended(0xBEDE, (ABS_SEND_TIME, DECOY[:6])), False),
    "of another size": (extended(0xBEDE, TIME, (TRANSPORT_SEQUENCE, b"\x12\x34\x56")), False),
    "of another form": (extended(0x1234, TIME, NUMBER), False),
    "behind the end": (extended(0xBEDE, (15, b"x"), TIME, NUMBER), False),
}


@pytest.mark.parametrize("before", ["first", "second", "third", "two-byte form"])
@pytest.mark.parametrize("name", sorted(LAYOUTS))
async def test_a_packet_is_reported_on_if_it_carries_a_number(
    simulation: Simulation, pair: Pair, before: str, name: str
) -> None:
    """Whatever stands where the packet before it had its number."""
    alice, _ = pair

    def send(extension: bytes) -> None:
        first = 0x90 if extension else 0x80
        head = pack("!BBHII", first, alice.opus, alice.sequences["microphone"], 0, alice.ssrcs["microphone"])
        alice.sequences["microphone"] += 1
        alice.transmit(head + extension + DECOY + TRAILER)

    send(LAYOUTS[before][0])
    simulation.run(0.2)
    alice.feedback.clear()
    extension, numbered = LAYOUTS[name]
    send(extension)
    simulation.run(0.2)
    found = [(one.base, len(one.arrivals)) for one in alice.reports(rtcp.TransportFeedback)]
    assert found == ([(0x1234, 1)] if numbered else [])


@pytest.mark.parametrize(
    "part",
    ["a=rtcp-fb:111 transport-cc", "transport-wide-cc", "transport"],
    ids=["number only", "feedback only", "none"],
)
async def test_feedback_takes_agreement_on_the_number_and_on_the_feedback(
    simulation: Simulation, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = Client(simulation, "alice")
    sdp = "".join(line for line in alice.sdp().splitlines(keepends=True) if part not in line)
    monkeypatch.setattr(alice, "sdp", lambda: sdp)
    alice.connect()
    assert alice.answer is not None
    sound = alice.answer.sdp.split("m=")[1]
    assert ("transport-cc" in sound, "transport-wide-cc" in sound) == (False, False)
    for value in range(256):
        payload = bytes([value]) * 24 + TRAILER
        alice.transmit(alice.packet("microphone", payload, 960 * value))
        head = pack("!BBHII", 0x80, alice.opus, alice.sequences["microphone"], 960 * value, 100)
        alice.sequences["microphone"] += 1
        alice.transmit(head + payload)
    simulation.run(0.3)
    assert not alice.reports(rtcp.TransportFeedback)


async def test_a_sample_every_ten_seconds_has_address_and_rates(simulation: Simulation, pair: Pair) -> None:
    alice, _ = pair
    alice.stream(12, audio=True)
    for client in pair:
        client.keep_alive(12)
    simulation.run(12)
    samples = {sample.peer: sample for sample in simulation.of(PeerSample)}
    assert set(samples) == {"alice", "bob"}
    assert samples["alice"].address == "192.0.2.1"
    assert 600 < samples["alice"].received_kbps < 800
    assert 600 < samples["bob"].sent_kbps < 800
