"""A viewer behind a bottleneck, and what the relay sends it: a model of both browsers, without a packet's content.

The viewer reports as Chromium does: of pictures about each second, of sound each five, and by REMB four times a second,
whose estimate follows what arrives, falls to 0.85 of it when the delay grows, and is absent at first.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from media.forwarding.allocation import HEADROOM, Choice, Wish, allocate, least, useful
from media.session.bandwidth import Downlink
from tests.media.bottleneck import Bottleneck
from tests.media.estimator import Estimator

STEP = 0.005
_WIRE = 64
"""IP, UDP, RTP with an extension, the tag of SRTP."""

_SOUND = 85
_PACKET = 1_100
_PERIODS = {"picture": 1.0, "sound": 5.0}
Kind = Literal["sound", "picture", "padding", "report"]


@dataclass
class Packet:
    kind: Kind
    size: int
    sent: float
    arrival: float


class Picture(Protocol):
    """What sends pictures to the viewer."""

    rate: float

    def step(self, downlink: Downlink, now: float) -> None:
        """Choose anew what is sent."""

    def frame(self, now: float) -> int:
        """Bytes of the next frame, 30 of them a second."""


@dataclass
class Encoder:
    """The camera of somebody in a consult of two: asked by REMB once a second, and following within a third of one."""

    wanted: float
    rate: float = 300_000.0
    sending: bool = True
    _asked: float = float("inf")
    _next: float = 0.0

    def step(self, downlink: Downlink, now: float) -> None:
        self.sending = not downlink.starved(now)
        limit = downlink.limit or float("inf")
        if now >= self._next or limit < 0.9 * self._asked:
            self._next = max(self._next, now) + 1.0
            self._asked = limit
        self.rate += (min(self.wanted, max(50_000.0, self._asked - 40_000)) - self.rate) * STEP / 0.3

    def frame(self, now: float) -> int:
        return int(self.rate / 240) if self.sending else 0


@dataclass
class Layers:
    """Slots of a group, chosen for five times a second. Another layer begins with its next key frame."""

    wishes: list[Wish]
    dice: random.Random = field(default_factory=lambda: random.Random(3))
    rate: float = 0.0
    changes: list[tuple[float, dict[int, Choice]]] = field(default_factory=list)
    _next: float = 0.0
    _coming: list[tuple[float, dict[int, Choice]]] = field(default_factory=list)
    _begins: bool = False

    def step(self, downlink: Downlink, now: float) -> None:
        while self._coming and self._coming[0][0] <= now:
            self._take(self._coming.pop(0)[1])
        if now < self._next:
            return
        self._next += 0.2
        downlink.goal = useful(self.wishes) + 40_000
        downlink.begin(max(600_000, int(HEADROOM * least(self.wishes)) + 40_000))
        budget = None if downlink.limit is None else 0 if downlink.starved(now) else max(0, downlink.limit - 40_000)
        chosen = allocate(budget, [self._measured(wish) for wish in self.wishes])
        if not self.changes or chosen != self.changes[-1][1]:
            self.changes.append((now, chosen))
            self._coming.append((now + 0.15, chosen))

    def _measured(self, wish: Wish) -> Wish:
        near = [replace(o, bitrate=int(o.bitrate * self.dice.uniform(0.97, 1.03))) for o in wish.offerings]
        return replace(wish, offerings=tuple(near))

    def _take(self, chosen: dict[int, Choice]) -> None:
        self.wishes = [replace(wish, current=chosen[wish.slot]) for wish in self.wishes]
        self._begins = True
        self.rate = float(
            sum(o.bitrate for w in self.wishes for o in w.offerings if (o.layer, o.temporal) == w.current)
        )

    def frame(self, now: float) -> int:
        size = self.rate / 240 * self.dice.uniform(0.7, 1.3) * (4 if self._begins else 1)
        self._begins = False
        return int(size)


class ThinLine:
    """The loop, step by step.

    Attributes:
        sound: (when sent, seconds until it arrived or None) of each packet of sound.
        rates: (when, bit/s of pictures that arrived), each half second.
        limits: (when, the bound, whether pictures are paused), each tenth.
        remb: it sends an estimate.
        padding: it can be probed.
    """

    def __init__(self, link: Bottleneck, picture: Picture, *, seed: int = 5) -> None:
        self.downlink = Downlink()
        self.now = 0.0
        self.sound: list[tuple[float, float | None]] = []
        self.rates: list[tuple[float, float]] = []
        self.limits: list[tuple[float, int | None, bool]] = []
        self._link, self._picture = link, picture
        self.remb, self.padding = True, True
        self._dice = random.Random(seed)
        self._steps = 0
        self._way: deque[Packet] = deque()
        self._sent_octets = self._turn_octets = 0
        self._sent = 0.0
        self._due = 0.0
        self._numbers = {"picture": [0, 0], "sound": [0, 0]}
        self._before = {"picture": (0, 0, 0), "sound": (0, 0, 0)}
        self._next_report = {"picture": 0.6, "sound": 2.5}
        self._last_sr: tuple[float, float] | None = None
        self._estimator = Estimator()
        self._half = 0
        self._seen = 0.0

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self._send()
            self._receive()
            self._steps += 1
            self.now = self._steps * STEP

    # --- the relay ---------------------------------------------------------------------------------------------------

    def _put(self, kind: Kind, payload: int) -> None:
        arrival = self._link.arrival(payload + _WIRE, self.now)
        if kind in self._numbers:
            self._numbers[kind][0] += 1
            self._sent_octets += payload
        if arrival is not None:
            self._way.append(Packet(kind, payload + _WIRE, self.now, arrival))
        elif kind == "sound":
            self.sound.append((self.now, None))

    def _send(self) -> None:
        step, downlink = self._steps, self.downlink
        if step % 4 == 0:
            self._put("sound", _SOUND)
            if self.padding:
                self._pad(downlink.padding(self.now))
        self._picture.step(downlink, self.now)
        if self.now >= self._due:
            self._due += 1 / 30
            size = self._picture.frame(self.now)
            for _ in range(size // _PACKET):
                self._put("picture", _PACKET)
            if size % _PACKET:
                self._put("picture", size % _PACKET)
        if step % 200 == 199:
            self._sent = float((self._sent_octets - self._turn_octets) * 8)
            self._turn_octets = self._sent_octets
            if not downlink.listening(self.now):
                self._put("report", 60)
            downlink.turn(self._sent, self.now)
        if step % 20 == 0:
            self.limits.append((self.now, downlink.limit, downlink.starved(self.now)))

    def _pad(self, packets: int) -> None:
        for _ in range(packets):
            self._put("padding", 255)
        self.downlink.padded(packets)

    # --- the viewer --------------------------------------------------------------------------------------------------

    def _receive(self) -> None:
        while self._way and self._way[0].arrival <= self.now:
            self._arrived(self._way.popleft())
        if self._steps % 100 == 99:
            self.rates.append((self.now, self._half * 16.0))
            self._half = 0
        if self._steps % 20 == 19:
            self._estimator.judge(self.now)
        if self.remb and self._steps % 50 == 49 and self.now > 3:
            self.downlink.estimated(int(self._estimator.bitrate), self.now)
        for kind, period in _PERIODS.items():
            if self.now >= self._next_report[kind]:
                self._next_report[kind] = self.now + period * self._dice.uniform(0.8, 1.2)
                self._report(kind)

    def _arrived(self, packet: Packet) -> None:
        if packet.kind == "report":
            self._last_sr = (packet.sent, packet.arrival)
            return
        delay = packet.arrival - packet.sent
        self._estimator.arrived(packet.arrival, packet.size - _WIRE, delay)
        if packet.kind in self._numbers:
            self._numbers[packet.kind][1] += 1
        if packet.kind == "sound":
            self.sound.append((packet.sent, delay))
        else:
            self._seen = self.now
        if packet.kind == "picture":
            self._half += packet.size - _WIRE

    def _report(self, kind: str) -> None:
        """Of what arrived until now. Of a stream of which nothing came for long there is no report."""
        handed, arrived = self._numbers[kind]
        waiting = sum(packet.kind == kind for packet in self._way)
        expected_all = handed - waiting
        before = self._before[kind]
        self._before[kind] = (handed, expected_all, arrived)
        expected = expected_all - before[1]
        lost = max(0, expected - (arrived - before[2]))
        if self._last_sr is not None and (kind == "sound" or self.now - self._seen < 8):
            self.downlink.round_trip(self._last_sr[1] - self._last_sr[0] + 0.020, self._last_sr[0], self.now)
        if expected > 0 and self._sent:
            self.downlink.reported(lost, expected, self._sent, self.now, handed - before[0])
