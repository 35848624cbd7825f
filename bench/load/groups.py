"""Groups for a generator: all see all, one of the others large and the rest as thumbnails."""

import asyncio
from typing import Protocol

from aiortc import RTCCertificate

from bench.load.janus import VideoRoom
from bench.load.offers import one_way
from bench.load.person import Person
from bench.load.streams import LAYERS, Layer
from bench.load.targets import OwnRelay

_ESTIMATE = 20_000_000
_PAIR = 2
LARGE, THUMBNAIL = 2, 0
"""Layers, lowest first."""


class Relay(Protocol):
    """What all relays of groups have: the process that is measured."""

    @property
    def pid(self) -> int: ...


def layers_of(people: int) -> tuple[Layer, ...]:
    """Two people send one encoding, as our clients do."""
    return LAYERS if people > _PAIR else ()


async def fill_own(relay: OwnRelay, certificate: RTCCertificate, address: str, people: int) -> list[Person]:
    """One connection for each, as our clients have."""
    others, layers = people - 1, layers_of(people)
    persons = [Person(certificate, address, lines=one_way(others, layers)) for _ in range(people)]
    for number, person in enumerate(persons):
        person.estimate, person.chosen = _ESTIMATE, bool(layers)
        await person.connect(await relay.seat(0, number, person.offer(), others))
    if layers:
        heights = {slot: layers[LARGE if slot == 0 else THUMBNAIL].height for slot in range(others)}
        for number in range(people):
            await relay.show(0, number, heights)
    return persons


async def fill_janus(relay: VideoRoom, certificate: RTCCertificate, address: str, people: int) -> list[Person]:
    """Two connections for each, as Janus' VideoRoom has them: one to publish, one for all others.

    Janus 1.1.2 takes the first encoding of an offer for the highest, whatever its size.
    """
    layers = layers_of(people)
    await relay.open(1, people)
    persons = []
    for number in range(people):
        person = Person(certificate, address, lines=one_way(0, layers[::-1]))
        await person.connect(await relay.publish(1, number + 1, person.offer()))
        persons.append(person)
    subscriptions, subscribers = [], []
    for number in range(people):
        # Who comes after somebody in the circle is the one that they see large.
        others = [(number + step) % people + 1 for step in range(1, people)]
        subscription = await relay.subscribe(1, others)
        subscriber = Person(certificate, address, lines=[])
        subscriber.estimate, subscriber.chosen = _ESTIMATE, bool(layers)
        async with asyncio.TaskGroup() as group:
            group.create_task(relay.start(subscription, subscriber.answer(subscription.offer)))
            group.create_task(subscriber.connect(subscription.offer))
        subscriptions.append(subscription)
        subscribers.append(subscriber)
    if layers:
        for subscription in subscriptions:
            first = next(iter(subscription.mids))
            chosen = {feed: LARGE if feed == first else THUMBNAIL for feed in subscription.mids}
            await relay.choose(subscription, chosen)
    return persons + subscribers
