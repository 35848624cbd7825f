"""Seeded traffic of a whole relay, lossy and hostile, and a digest of every byte that the relay sends to each."""

import hashlib
import itertools
import os
import random
import secrets
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import zip_longest
from struct import pack, unpack_from
from typing import Any
from unittest.mock import patch

from media.control import RemovePeer, SetSizes, SlotSize
from media.wire import rtcp
from tests.media.client import TRAILER, Client
from tests.media.simulation import Simulation

RIDS = ("q", "h", "f")
_STEP = 0.004
_REMEMBERED = 64


@contextmanager
def same_secrets(seed: int) -> Iterator[None]:
    """What is drawn at random is the same each time: keys, fragments, SSRCs and first numbers."""
    dice = random.Random(seed)
    with (
        patch.object(secrets, "randbits", dice.getrandbits),
        patch.object(secrets, "randbelow", dice.randrange),
        patch.object(secrets, "choice", dice.choice),
        patch.object(os, "urandom", dice.randbytes),
    ):
        yield


class Deaf(Client):
    """Sends, and listens to nothing: what it is sent is remembered by its bytes."""

    __hash__ = object.__hash__

    def __post_init__(self) -> None:
        super().__post_init__()
        self.link.delay = 0.0
        self.seen: deque[tuple[int, int]] = deque(maxlen=_REMEMBERED)
        self.times = {"camera": 0, "microphone": 0}
        self.inside = 0
        self.late: list[bytes] = []

    def receive(self, data: bytes) -> None:
        if data[0] >= 2 and not 191 < data[1] < 224:
            self.seen.append(unpack_from("!H4xI", data, 2))


class Traffic(Simulation):
    """A room of two and a group of four, one of whom sends three layers."""

    def __init__(self, seed: int, *, pumped: bool, hostile: bool) -> None:
        super().__init__(pumped=pumped)
        self.hostile = hostile
        self.packets = 0
        self.moving = hostile
        self._addresses = itertools.count(1)
        self.digests: dict[bytes, Any] = defaultdict(hashlib.sha256)
        self.log: dict[bytes, list[bytes]] = defaultdict(list)
        self._dice = random.Random(seed)
        self.prepare()
        self.open("two")
        self.open("group", capacity=4)
        self.people = [self._join("two", name) for name in ("alice", "bob")]
        self.people.append(self._join("group", "carol", slots=3, rids=RIDS))
        self.people += [self._join("group", name, slots=3) for name in ("dave", "erin")]

    def prepare(self) -> None:
        """Before anybody comes."""

    def plug(self, person: Deaf) -> None:
        """Give somebody an address."""
        person.key = pack("!HH4s", 0x200, next(self._addresses), os.urandom(4))

    def _join(self, room: str, name: str, **options: object) -> Deaf:
        person = Deaf(self, name, room=room, **options)  # type: ignore[arg-type]  # of a dataclass
        self.plug(person)
        person.connect()
        return person

    def sent(self, key: bytes, data: bytes) -> None:
        self.digests[key].update(data)
        self.log[key].append(data[:12])
        super().sent(key, data)

    def go_on(self, packets: int) -> None:
        """Until so many more reached the relay."""
        until = self.packets + packets
        while self.packets < until:
            for person in self.people:
                self._step(person)
            self.run(_STEP)

    def _step(self, person: Deaf) -> None:
        chance = self._dice.random()
        if self.moving and chance < 0.005:
            self._move(person)
        elif chance < 0.75:
            self._video(person)
        elif chance < 0.97:
            self._audio(person)
        elif chance < 0.98:
            person.check()
        elif person.seen:
            self._answer(person)

    def _move(self, person: Deaf) -> None:
        """Somebody comes by another address, offers again, or leaves and comes back."""
        says = self._dice.randrange(3)
        if says == 0:
            self.plug(person)
            person.check()
        elif says == 1:
            person.offer()
        else:
            self.leave(person)
            self.people.append(self._join(person.room, person.name, rids=person.rids, slots=person.slots))

    def leave(self, person: Deaf) -> None:
        self.people.remove(person)
        self.router.handle(RemovePeer(room=person.room, fence=1, peer=person.name))

    # --- media -------------------------------------------------------------------------------------------------------

    def _video(self, person: Deaf) -> None:
        dice = self._dice
        for rid in person.rids or ("",):
            size = dice.randrange(1, 1_100)
            first, last = person.inside == 0, dice.random() < 0.2
            temporal = dice.choice((0, 2, 1, 2)) if rid else 0
            key = first and dice.random() < 0.02
            payload = bytes([0x90 if first else 0x80, 0xE0, 0x80 | dice.randrange(128), dice.randrange(256)])
            payload += bytes([dice.randrange(256), temporal << 6 | 0x20, not key, 0, 0])
            if key:
                payload += b"\x9d\x01\x2a" + pack("<HH", 640, 360)
            payload += bytes(size) + (TRAILER if last and not self._slip() else b"")
            self._put(person, person.packet("camera", payload, person.times["camera"], last, rid=rid))
        person.inside += 1
        if last:
            person.inside = 0
            person.times["camera"] += 3_000

    def _audio(self, person: Deaf) -> None:
        person.times["microphone"] += 960
        payload = bytes(self._dice.randrange(1, 120)) + (b"" if self._slip() else TRAILER)
        self._put(person, person.packet("microphone", payload, person.times["microphone"], True))

    def _slip(self) -> bool:
        """Seldom somebody sends in clear."""
        return self.hostile and self._dice.random() < 0.000_02

    def _put(self, person: Deaf, packet: bytes) -> None:
        """Most arrive; some late, twice, as repairs, with padding, or not as they were sent."""
        dice, chance = self._dice, self._dice.random()
        self.packets += 1
        if person.late and dice.random() < 0.3:
            self._put_late(person)
        if not self.hostile or chance < 0.93:
            person.transmit(packet)
        elif chance < 0.96:
            person.late.append(packet)
        elif chance < 0.97:
            person.transmit(packet)
            person.transmit(packet)
        elif chance < 0.98:
            rid = dice.choice(person.rids) if person.rids else ""
            padding = dice.randrange(1, 255)
            person.transmit(person.packet("camera", b"", person.times["camera"], padding=padding, rid=rid))
        elif chance < 0.99:
            self.deliver(self._damaged(packet), person.key)

    def _put_late(self, person: Deaf) -> None:
        packet = person.late.pop(self._dice.randrange(len(person.late)))
        if self._dice.random() < 0.5:
            person.transmit(packet)
            return
        number, timestamp, ssrc = unpack_from("!HII", packet, 2)
        start = 16 + 4 * unpack_from("!H", packet, 14)[0]
        head = pack("!BBHII", 0x80, packet[1] & 0x80 | 97, next(person._rtx_sequence) & 0xFFFF, timestamp, ssrc + 1)
        person.transmit(head + pack("!H", number) + packet[start:])

    def _damaged(self, packet: bytes) -> bytes:
        dice, made = self._dice, bytearray(packet)
        for _ in range(dice.randrange(1, 4)):
            made[dice.randrange(len(made))] = dice.randrange(256)
        return bytes(made[: dice.randrange(1, len(made) + 1)])

    # --- what viewers say --------------------------------------------------------------------------------------------

    def _answer(self, person: Deaf) -> None:
        dice = self._dice
        sequence, ssrc = dice.choice(person.seen)
        says = dice.randrange(4)
        if says == 0:
            lost = [(sequence - dice.randrange(40)) & 0xFFFF for _ in range(dice.randrange(1, 5))]
            person.transmit_rtcp(rtcp.nack(1, ssrc, lost))
        elif says == 1:
            person.transmit_rtcp(rtcp.pli(1, ssrc))
        elif says == 2:
            person.transmit_rtcp(rtcp.remb(1, dice.randrange(50_000, 3_000_000), [ssrc]))
        elif person.room == "group":
            sizes = [SlotSize(slot=dice.randrange(3), height=dice.choice((0, 180, 360, 720)))]
            self.router.handle(SetSizes(room="group", fence=1, peer=person.name, sizes=sizes))

    def difference(self, other: "Traffic") -> str:
        """Where what somebody is sent differs first; empty if it is the same, byte for byte."""
        for key in self.log | other.log:
            mine, theirs = self.log[key], other.log[key]
            for index, (left, right) in enumerate(zip_longest(mine, theirs, fillvalue=b"")):
                if left != right:
                    return f"{key.hex()}, packet {index} of {len(mine)}: {left.hex()} and {right.hex()}"
            if self.digests[key].digest() != other.digests[key].digest():
                return f"{key.hex()}: the same headers, other packets"
        return ""
