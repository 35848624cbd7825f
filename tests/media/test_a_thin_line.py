"""A consult of two in the relay itself, whose line becomes thin for half a minute."""

from __future__ import annotations

import random
from functools import partial

from media.forwarding.reports import compact, ntp_time
from media.wire import rtcp
from tests.media.bottleneck import Bottleneck
from tests.media.client import Client
from tests.media.packets import Packet
from tests.media.simulation import START, Simulation

HD = 1_500_000
FALLS, RISES = 10.0, 40.0
_PACKET = 1_100


class Viewer:
    """Reports as a browser does: each second of what came, by the newest sender report."""

    def __init__(self, client: Client, seconds: int) -> None:
        self.client = client
        self._dice = random.Random(4)
        self._begun: dict[int, tuple[int, int]] = {}
        for second in range(seconds):
            client.simulation.at(START + second + self._dice.uniform(0.9, 1.1), self.report)

    def report(self) -> None:
        blocks = [self._block(ssrc, packets) for ssrc, packets in self.client.received.items() if packets]
        if blocks:
            self.client.transmit_rtcp(rtcp.receiver_report(1, blocks))

    def _block(self, ssrc: int, packets: list[Packet]) -> rtcp.ReportBlock:
        first, highest = self._begun.get(ssrc, (packets[0].sequence, packets[0].sequence))
        highest += (packets[-1].sequence - highest + 0x8000 & 0xFFFF) - 0x8000
        self._begun[ssrc] = (first, highest)
        lost = highest - first + 1 - len(packets)
        came = [(at, one) for at, one in self.client.feedback if isinstance(one, rtcp.SenderReport)]
        at, sr = next(((at, one) for at, one in reversed(came) if one.ssrc == ssrc), came[-1] if came else (0.0, None))
        delay = int((self.client.simulation.now - at) * 65_536)
        return rtcp.ReportBlock(ssrc, 0, lost, highest, 0, compact(sr.ntp) if sr else 0, delay)


class Camera:
    """Sends as much as it is asked to, at 30 frames a second, and a key frame when that is asked for."""

    def __init__(self, client: Client, seconds: int) -> None:
        self._client = client
        for index in range(seconds * 30):
            client.simulation.at(START + index / 30, partial(self.frame, index))
        for index in range(seconds * 50):
            client.simulation.at(START + index / 50, partial(client.send_audio, index * 960))

        for second in range(seconds):
            client.simulation.at(START + second + 0.3, self.report)

    def report(self) -> None:
        """Both streams began when the simulation did."""
        passed = self._client.simulation.now - START
        ntp = ntp_time(self._client.simulation.now + 1_700_000_000)
        for ssrc, clock in ((100, 48_000), (200, 90_000)):
            self._client.transmit_rtcp(rtcp.sender_report(ssrc, ntp, int(passed * clock), 1, 1))

    def frame(self, index: int) -> None:
        client = self._client
        asked = next((p.bitrate for _, p in reversed(client.feedback) if isinstance(p, rtcp.ReceiverEstimate)), HD)
        octets = min(HD, max(50_000, asked - 40_000)) // 240
        packets = max(1, round(octets / _PACKET))
        client.send_frame(index * 3_000, packets, key=client.wanted or not index, size=max(20, octets // packets))
        client.wanted = False


def rate(viewer: Client, start: float, end: float) -> float:
    """Bit/s of pictures that came."""
    came = [packet for packet in viewer.got() if START + start <= packet.at < START + end]
    return sum(len(packet.payload) for packet in came) * 8 / (end - start)


def consult(simulation: Simulation, low: float, queue: int, seconds: int) -> tuple[Client, Client]:
    alice, bob = simulation.join("alice", answers_requests=True), simulation.join("bob")
    bob.link.line = Bottleneck([(0.0, 5e6), (START + FALLS, low), (START + RISES, 5e6)], queue=queue)
    Camera(alice, seconds)
    Viewer(bob, seconds)
    Viewer(alice, seconds)
    for client in (alice, bob):
        client.keep_alive(seconds)
    return alice, bob


async def test_a_picture_fits_into_300_kbit_within_3_s_and_is_back_within_15(simulation: Simulation) -> None:
    alice, bob = consult(simulation, 300_000, 20_000, 60)
    simulation.run(START + FALLS + 3 - simulation.now)
    caps = [packet.bitrate for packet in alice.reports(rtcp.ReceiverEstimate)]
    assert caps
    assert caps[-1] < 300_000
    simulation.run(START + RISES + 16 - simulation.now)
    assert 80_000 < rate(bob, FALLS + 10, RISES) < 300_000
    assert rate(bob, RISES + 14, RISES + 16) > 0.7 * HD


async def test_at_100_kbit_there_is_sound_alone_and_the_picture_comes_back(simulation: Simulation) -> None:
    _, bob = consult(simulation, 100_000, 20_000, 70)
    simulation.run(START + RISES - simulation.now)
    assert rate(bob, FALLS + 15, RISES) == 0
    assert bob.peer.viewing.paused
    heard = [packet for packet in bob.got("audio") if START + FALLS + 15 <= packet.at < START + RISES]
    assert len(heard) > 0.98 * 50 * (RISES - FALLS - 15)
    simulation.run(25)
    assert not bob.peer.viewing.paused
    assert rate(bob, RISES + 20, RISES + 25) > 0.1 * HD


async def test_padding_takes_none_of_a_pictures_numbers(simulation: Simulation) -> None:
    _, bob = consult(simulation, 300_000, 20_000, 60)
    simulation.run(START + RISES + 12 - simulation.now)
    padding = [packet for packet in bob.repaired() if not packet.payload]
    assert padding
    assert all(2 in packet.extensions for packet in padding), "its receiver's estimate takes it in"
    assert all(packet.payload for packet in bob.got())
    assert bob.peer.transport.failed == 0
