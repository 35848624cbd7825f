"""Encrypted sound and pictures through a real media worker, which holds no key."""

import asyncio
import os
import time

import pytest
import pytest_asyncio
from aiortc.mediastreams import MediaStreamTrack

from client.keyring import KeyRing
from client.media import MediaConnection, Receiving
from client.sealing import seal_frames
from client.synthetic import Pattern, Tone
from media.control import RequestKeyframe, UnencryptedSeen
from tests.client.conftest import Relay
from tests.client.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAMES = ("alice", "bob")


class Person:
    """A ring and a connection; `share` gives the other one's ring this one's secret."""

    def __init__(self, index: int, tone: float, level: int) -> None:
        self.name, self.index, self.secret = NAMES[index], index, os.urandom(32)
        self.ring = KeyRing(time.monotonic)
        self.refused: list[tuple[str, int]] = []
        self.media = MediaConnection(self.ring, 1, lambda who, label: self.refused.append((who, label)))
        self.tracks: list[MediaStreamTrack] = [Tone(tone), Pattern(level)]
        self.media.set_track("microphone", self.tracks[0])
        self.media.set_track("camera", self.tracks[1])

    def share(self, other: "Person", secret: bytes | None = None) -> None:
        self.ring.set_own(1, self.index, self.secret)
        other.ring.set_remote(self.name, 1, self.index, secret or self.secret)


@pytest_asyncio.fixture(loop_scope="session")
async def people() -> tuple[Person, Person]:
    return Person(0, 400, 60), Person(1, 700, 160)


async def meet(relay: Relay, *people: Person) -> None:
    for person in people:
        await relay.join(person.name, person.media)
    for person in people:
        await person.media.connected()


def picture(viewer: Person, other: Person) -> Receiving:
    place = viewer.media.place(other.name, "camera")
    assert place
    return place


def sound(viewer: Person, other: Person) -> Receiving:
    place = viewer.media.place(other.name, "microphone")
    assert place
    return place


async def test_two_people_see_and_hear_each_other_through_the_relay(
    relay: Relay, people: tuple[Person, Person]
) -> None:
    alice, bob = people
    alice.share(bob)
    bob.share(alice)
    await meet(relay, alice, bob)
    await until(lambda: None if sound(alice, bob).frequency() and sound(bob, alice).frequency() else "no sound yet")
    await until(
        lambda: None if picture(alice, bob).decoded > 5 and picture(bob, alice).decoded > 5 else "no picture yet"
    )
    assert sound(alice, bob).frequency() == pytest.approx(700, abs=5)
    assert sound(bob, alice).frequency() == pytest.approx(400, abs=5)
    assert picture(alice, bob).grey_level() == pytest.approx(160, abs=6)
    assert picture(bob, alice).grey_level() == pytest.approx(60, abs=6)
    assert picture(alice, bob).refused == picture(bob, alice).refused == 0


async def test_nothing_leaves_before_there_is_a_key_and_then_a_picture_comes_at_once(
    relay: Relay, people: tuple[Person, Person]
) -> None:
    alice, bob = people
    await meet(relay, alice, bob)
    await until(lambda: None if bob.media.sending["camera"].dropped > 3 else "nothing was dropped")
    place = picture(alice, bob)
    assert place.opened == place.refused == place.decoded == bob.media.sending["camera"].sealed == 0
    bob.share(alice)
    await until(lambda: None if place.decoded else "no picture yet")
    assert place.refused == 0


async def test_a_viewer_without_the_right_key_decodes_nothing_and_asks_for_a_key_frame(
    relay: Relay, people: tuple[Person, Person]
) -> None:
    alice, bob = people
    bob.share(alice, secret=bytes(32))
    await meet(relay, alice, bob)
    await until(lambda: None if picture(alice, bob).refused > 3 and sound(alice, bob).refused > 3 else "nothing came")
    assert picture(alice, bob).decoded == sound(alice, bob).decoded == 0
    assert ("bob", 1) in alice.refused
    alice.ring.set_remote("bob", 1, 1, bob.secret)
    await relay.client.call(relay.worker, RequestKeyframe(room=relay.room, fence=1, peer="bob", source="camera"))
    await until(lambda: None if picture(alice, bob).decoded else "no picture after the key came")


async def test_frames_count_only_in_the_slot_of_their_sender(relay: Relay, people: tuple[Person, Person]) -> None:
    alice, bob = people
    bob.share(alice)
    await meet(relay, alice, bob)
    place = picture(alice, bob)
    await until(lambda: None if place.decoded else "no picture yet")
    alice.media.assign({0: "carol"})
    await asyncio.sleep(0.3)
    before = place.decoded
    await until(lambda: None if place.refused > 3 else "nothing was refused")
    assert place.decoded == before


async def test_a_frame_in_clear_is_not_forwarded_and_its_sender_is_told(
    relay: Relay, people: tuple[Person, Person]
) -> None:
    alice, bob = people
    bob.share(alice)
    seal_frames(bob.media.sending["camera"].transceiver.sender, lambda frame: frame)
    await meet(relay, alice, bob)
    await until(lambda: None if any(isinstance(event, UnencryptedSeen) for event in relay.events) else "not told")
    [event] = [event for event in relay.events if isinstance(event, UnencryptedSeen)]
    assert (event.peer, event.source) == ("bob", "camera")
    await until(lambda: None if sound(alice, bob).opened > 10 else "no sound")
    place = picture(alice, bob)
    assert place.opened == place.refused == place.decoded == 0


async def test_a_screen_comes_with_a_new_offer_and_the_picture_goes_on(
    relay: Relay, people: tuple[Person, Person]
) -> None:
    alice, bob = people
    bob.share(alice)
    await meet(relay, alice, bob)
    place = picture(alice, bob)
    await until(lambda: None if place.decoded else "no picture yet")
    assert bob.media.set_track("screen", Pattern(100, 640, 480, 10))
    await relay.join("bob", bob.media)
    await until(lambda: None if (stage := alice.media.place("bob", "screen")) and stage.decoded else "no screen")
    before = place.decoded
    await until(lambda: None if place.decoded > before + 5 else "the camera stopped")
    assert not bob.media.set_track("screen", None)
