"""A viewer whose TCP connection is full: its video pauses, its sound goes on, nobody else notices."""

from itertools import pairwise

from tests.media.client import Client
from tests.media.packets import frames
from tests.media.simulation import MemoryOutbox, Simulation


def over_tcp(simulation: Simulation, client: Client) -> MemoryOutbox:
    """From now on the client is reached over TCP alone."""
    outbox = MemoryOutbox(simulation, "tcp")
    simulation.run(6)
    simulation.deliver(client.binding_request(), client.key, outbox)
    path = client.peer.transport.path
    assert path is not None
    path.outbox = client.peer.transport.outbox = outbox
    return outbox


async def test_video_pauses_and_goes_on_at_a_key_frame_when_there_is_room(simulation: Simulation) -> None:
    alice = simulation.join("alice", slots=2, answers_requests=True)
    bob, carol = simulation.join("bob", slots=2), simulation.join("carol", slots=2)
    outbox = over_tcp(simulation, bob)
    for client in (alice, bob, carol):
        client.keep_alive(10)
    began = simulation.now
    slot = next(number for number, name in bob.peer.viewing.seats.items() if name == "alice")
    alice.stream(8, audio=True)

    def sent_over_tcp() -> int:
        return len([packet for packet in bob.got("video", slot) if packet.at > began])

    simulation.run(2)
    assert sent_over_tcp() > 150
    outbox.congested = True
    simulation.run(0.1)
    before, asked = sent_over_tcp(), len(alice.keyframe_requests())
    simulation.run(3)
    assert sent_over_tcp() == before
    assert len(alice.keyframe_requests()) <= asked + 1, "a full connection is no reason to ask for key frames"
    outbox.congested = False
    simulation.run(3.2)
    assert sent_over_tcp() > before + 200
    packets = bob.got("video", slot)
    steps = {(b.sequence - a.sequence) & 0xFFFF for a, b in pairwise(packets)}
    assert steps == {1}
    assert len(bob.got("audio", slot)) == 400
    carols = next(number for number, name in carol.peer.viewing.seats.items() if name == "alice")
    assert len(frames(carol.got("video", carols))) == 240
