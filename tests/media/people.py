"""Stock aiortc clients that talk to a real worker, with the keys already exchanged."""

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any

from client.keyring import KeyRing
from client.media import MediaConnection, Receiving, Source
from client.synthetic import Pattern, Tone
from media.control import Answered, Line, MediaClient, OfferCall, OpenRoom
from tests.client.waiting import PATIENCE

TONES = {"alice": 440.0, "bob": 880.0}
GREYS = {"alice": 60, "bob": 190}


class Person:
    """One participant of a room on a worker."""

    def __init__(self, client: MediaClient, worker: str, name: str, ring: KeyRing, room: str) -> None:
        self.name = name
        self.media = MediaConnection(ring, slots=1)
        self._client = client
        self._worker = worker
        self._room = room

    async def join(self, change: Callable[[str], str] = lambda sdp: sdp) -> None:
        """Offer; ``change`` is applied to the offer on its way."""
        sdp, lines = await self.media.offer()
        reply = await self._client.call(
            self._worker,
            OfferCall(
                room=self._room, fence=1, peer=self.name, sdp=change(sdp), lines=[Line(**line) for line in lines]
            ),
        )
        assert isinstance(reply, Answered), reply
        await self.media.answer(reply.sdp)

    def start(self) -> None:
        self.media.set_track("microphone", Tone(TONES[self.name]))
        self.media.set_track("camera", Pattern(GREYS[self.name]))

    def sees(self, other: str, source: Source) -> Receiving:
        place = self.media.place(other, source)
        assert place is not None
        return place


async def couple(client: MediaClient, worker: str, room: str = "room") -> tuple[Person, Person]:
    """Alice and Bob, not connected yet; each knows the other's key and that slot 0 is the other."""
    await client.call(worker, OpenRoom(room=room, fence=1))
    secrets = {name: os.urandom(32) for name in ("alice", "bob")}
    people = []
    for index, name in enumerate(secrets):
        ring = KeyRing(time.monotonic)
        other = "bob" if name == "alice" else "alice"
        ring.set_own(1, index, secrets[name])
        ring.set_remote(other, 1, 1 - index, secrets[other])
        person = Person(client, worker, name, ring, room)
        person.media.assign({0: other})
        people.append(person)
    return people[0], people[1]


async def until(true: Callable[[], Any], within: float = PATIENCE, what: Callable[[], Any] = lambda: "") -> None:
    """Wait for a condition; the error says how things stood."""
    deadline = asyncio.get_running_loop().time() + within
    while not true():
        if asyncio.get_running_loop().time() > deadline:
            raise TimeoutError(f"not within {within} s: {what()}")
        await asyncio.sleep(0.02)


def hear_and_see(people: tuple[Person, Person]) -> bool:
    """Whether each hears the other's tone and sees the other's grey."""
    for person, other in (people, people[::-1]):
        grey = person.sees(other.name, "camera").grey_level()
        if abs(person.sees(other.name, "microphone").frequency() - TONES[other.name]) > 20:
            return False
        if grey is None or abs(grey - GREYS[other.name]) > 25:
            return False
    return True


async def meet(people: tuple[Person, Person]) -> None:
    """Connect both, and wait until each hears and sees the other."""
    for person in people:
        person.start()
        await person.join()
    await until(lambda: hear_and_see(people), what=lambda: counts(people))


def counts(people: tuple[Person, Person]) -> list[tuple[int, int]]:
    return [(place.opened, place.decoded) for person in people for place in person.media.receiving]


async def close(*people: Person) -> None:
    await asyncio.gather(*(person.media.close() for person in people))
