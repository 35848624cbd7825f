"""Sound and picture of one person are played together, whichever layer is shown and whatever their clock does."""

from collections.abc import Callable
from functools import partial

import pytest

from media.control import SetSizes, SlotSize
from media.wire import rtcp
from tests.media.client import LINES, Client
from tests.media.packets import Packet
from tests.media.simulation import Simulation
from tests.media.test_layers import RIDS, layers, number_of
from tests.media.test_reports import played_at, sender_report

MOST = 0.080
"""Seconds that people do not notice (ITU-R BT.1359)."""

SECONDS = 12
Clock = Callable[[float], float]


def steady(_: float) -> float:
    return -3_600.0


def drifting(elapsed: float) -> float:
    """150 millionths too quick."""
    return -3_600.0 + elapsed * 150e-6


def jumping(elapsed: float) -> float:
    """Set by NTP on the way."""
    return -3_600.0 if elapsed < SECONDS / 2 else 40.0


def publish(simulation: Simulation, client: Client, clock: Clock, late: float) -> None:
    """Sound and layers, with a sender report a second of each stream, that of the picture ``late``.

    Timestamps of a layer are 7 ticks after those of the one before, as `send_picture` writes them.
    """
    began = simulation.now
    client.stream_layers(SECONDS)
    client.stream(SECONDS, rate=0, audio=True)

    def report() -> None:
        elapsed = simulation.now - began
        client.transmit_rtcp(sender_report(client, 100, round(elapsed * 48_000), clock(elapsed)))
        for index, rid in enumerate(client.rids):
            picture = sender_report(client, client.layer_ssrc(rid), round(elapsed * 90_000) + 7 * index, clock(elapsed))
            simulation.at(simulation.now + late, partial(client.transmit_rtcp, picture))

    for second in range(SECONDS):
        simulation.at(began + 0.05 + second, report)


def skews(viewer: Client, name: str, since: float) -> list[float]:
    """Of each picture that came after ``since``: seconds that it is played later than the sound that left with it."""
    number = number_of(viewer, name)
    found = []
    for picture in viewer.got("video", number):
        sound = min(viewer.got("audio", number), key=lambda other: abs(other.at - picture.at))
        if picture.marker and picture.at > since:
            moments = [
                played_at(newest(viewer, packet), packet.timestamp, rate)
                for packet, rate in ((picture, 90_000), (sound, 48_000))
            ]
            found.append(moments[0] - moments[1] - (picture.at - sound.at))
    return found


def newest(viewer: Client, packet: Packet) -> rtcp.SenderReport:
    """The last report of its stream before a packet came, or the first one."""
    reports = [
        (at, one) for at, one in viewer.feedback if isinstance(one, rtcp.SenderReport) and one.ssrc == packet.ssrc
    ]
    return next((one for at, one in reversed(reports) if at <= packet.at), reports[0][1])


@pytest.mark.parametrize("clock", [steady, drifting, jumping])
@pytest.mark.parametrize("late", [0.0, 0.150])
async def test_lips_stay_in_sync_through_layers_and_clocks(simulation: Simulation, clock: Clock, late: float) -> None:
    alice = simulation.join("alice", slots=2, rids=RIDS, answers_requests=True)
    bob = simulation.join("bob", slots=2, answers_requests=True)
    publish(simulation, alice, clock, late)
    began = simulation.now

    def show(height: int) -> None:
        sizes = [SlotSize(slot=number_of(bob, "alice"), height=height)]
        simulation.router.handle(SetSizes(room="room", fence=1, peer="bob", sizes=sizes))

    for second, height in ((3, LINES[0]), (6, LINES[2]), (8, 0), (9, LINES[1])):
        simulation.at(began + second, partial(show, height))
    simulation.run(SECONDS + 0.2)
    assert layers(bob.got("video", number_of(bob, "alice"))) >= {1, 3, 5}
    found = skews(bob, "alice", began + 2)
    assert len(found) > 200
    assert max(map(abs, found)) < MOST
