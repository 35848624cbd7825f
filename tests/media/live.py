"""The pump's thread under load: people come, go and move while their packets are forwarded.

``python -m tests.media.live SEED SECONDS`` prints how many packets came to the relay, and how many it forwarded.
"""

import asyncio
import gc
import heapq
import random
import socket
import sys
import time
from contextlib import suppress

from media.forwarding.router import TICK
from media.net.arena import Arena
from media.net.udp import UdpSocket
from media.pump import library
from media.pump.port import PumpedPort
from tests.media.traffic import Deaf, Traffic

_ADDRESS = "127.0.0.1"
_STEPS = 500
_BURST = 16


class Unlooped(PumpedPort):
    """With its thread, and dealt with by whoever asks."""

    def begin(self, router: object) -> None:
        self._deliver = router.receive_handed  # type: ignore[attr-defined]  # a router
        assert not self._library.pump_start(self.pump)


class Live(Traffic):
    """As `Traffic`, over real sockets and with the pump's own thread, at the time of day."""

    def __init__(self, seed: int) -> None:
        self.plugs: dict[Deaf, socket.socket] = {}
        self.bound = UdpSocket(_ADDRESS, 0, Arena(1))
        self.pumped: Unlooped | None = None
        self.pumped_packets = 0
        self._churn = random.Random(seed)
        super().__init__(seed, pumped=False, hostile=True)
        self.moving = False

    def prepare(self) -> None:
        self.pumped = Unlooped(library.load(), [self.bound], self.flush)
        self.router.use(self.pumped.lender)
        self.pumped.begin(self.router)
        self._next_tick = self.now = time.monotonic()

    def plug(self, person: Deaf) -> None:
        """A socket, and with it an address, of their own; also for who had another."""
        plug = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        plug.bind((_ADDRESS, 0))
        plug.setblocking(False)
        if person in self.plugs:
            self.plugs[person].close()
        self.plugs[person] = plug
        person.key = b"\2\0" + plug.getsockname()[1].to_bytes(2, "big") + socket.inet_aton(_ADDRESS)

    def deliver(self, data: bytes, key: bytes, outbox: object = None) -> None:
        plug = next((plug for person, plug in self.plugs.items() if person.key == key), None)
        if plug is not None:
            with suppress(BlockingIOError):
                plug.sendto(data, (_ADDRESS, self.bound.port))

    def run(self, seconds: float) -> None:
        """What is due is done; nobody waits."""
        self.now = time.monotonic()
        while self._queue and self._queue[0][0] <= self.now + seconds:
            heapq.heappop(self._queue)[2]()
        assert self.pumped is not None
        self.pumped.deal()
        self.bound.outbox.flush()
        if self.now >= self._next_tick:
            self.router.tick()
            self.bound.outbox.flush()
            self._next_tick = self.now + TICK
        for person, plug in self.plugs.items():
            with suppress(BlockingIOError):
                for _ in range(_BURST):
                    person.receive(plug.recv(2_048))

    async def churn(self) -> None:
        """Somebody goes and comes back, or comes by another address."""
        person = self._churn.choice(self.people)
        if self._churn.random() < 0.5:
            self.plug(person)
            person.check()
        else:
            self.leave(person)
            self.plugs.pop(person).close()
            self.clients.pop(person.key, None)
            options = {"rids": person.rids, "slots": person.slots}
            room, name = person.room, person.name
            del person
            # Sessions are freed when the transport was closed.
            await asyncio.sleep(0)
            gc.collect()
            self.people.append(self._join(room, name, **options))
        self.run(0)


async def go_on(seed: int, seconds: float) -> tuple[int, int]:
    """Packets that came, and that were forwarded."""
    live = Live(seed)
    gc.freeze()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        live.go_on(_STEPS)
        await live.churn()
    came = live.router.inspect().counters
    await live.router.close()
    assert live.pumped is not None
    live.pumped.end()
    for plug in live.plugs.values():
        plug.close()
    live.bound.socket.close()
    return came["received"], came["forwarded"]


def main() -> None:
    received, forwarded = asyncio.run(go_on(int(sys.argv[1]), float(sys.argv[2])))
    print(received, forwarded)


if __name__ == "__main__":
    main()
