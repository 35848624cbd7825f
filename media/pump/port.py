"""The worker's UDP sockets while the pump receives from them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from struct import Struct
from typing import Any

from media.net import mmsg
from media.net.arena import Arena
from media.net.mmsg import BatchOutbox, BatchReceiver, key_length
from media.net.outbox import Outbox
from media.net.udp import BATCH, UdpSocket
from media.pump.lending import Lender
from media.pump.library import ffi

HANDED = 2_048
_OUTBOX = 1_024
_ENTRY = Struct("=3i32s")
_ROUNDS = 4

Deliver = Callable[..., None]
"""Takes a packet that the pump did not forward: `media.forwarding.router.Router.receive_handed`."""


class PumpedPort:
    """Sockets that were bound elsewhere, received from by the pump's thread between `start` and `close`."""

    def __init__(self, library: Any, sockets: list[UdpSocket], flush: Callable[[], None]) -> None:
        self._library = library
        self._sockets = sockets
        self._flush = flush
        self._deliver: Deliver | None = None
        self.arena = arena = Arena(HANDED)
        self._handed = ffi.new("struct handed[]", HANDED)
        self._entries = memoryview(ffi.buffer(self._handed)).cast("B")
        self._first = ffi.new("uint64_t *")
        self.pump = pump = ffi.new("struct pump *")
        pump.packets = arena.memory
        pump.times = arena.control
        pump.slots = HANDED
        pump.handed = self._handed
        pump.event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        pump.stop = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._keep: list[Any] = []
        outboxes: dict[Outbox, int] = {}
        for index, bound in enumerate(sockets):
            self._add(index, bound)
            outboxes[bound.outbox] = index
        self.lender = Lender(library, pump, outboxes)

    def _add(self, index: int, bound: UdpSocket) -> None:
        receiver, outbox = BatchReceiver(bound.socket, Arena(BATCH)), BatchOutbox(bound.socket, _OUTBOX)
        port = self.pump.ports[index]
        port.fd = bound.socket.fileno()
        port.name_size = key_length(bound.socket.family)
        port.batch, port.room = BATCH, _OUTBOX
        receiver.share(port)
        outbox.share(port)
        self._keep += [receiver, outbox]
        self.pump.sockets = index + 1

    def start(self, deliver: Deliver) -> None:
        """Begin to receive, on the running loop.

        Raises:
            OSError: no thread could be started.
        """
        self._deliver = deliver
        asyncio.get_running_loop().add_reader(self.pump.event, self._readable)
        if error := self._library.pump_start(self.pump):
            raise OSError(error, "the pump's thread did not start")

    def _readable(self) -> None:
        os.eventfd_read(self.pump.event)
        for _ in range(_ROUNDS):
            if not self.deal():
                break
        else:
            # A flood must not keep timers and control calls waiting.
            os.eventfd_write(self.pump.event, 1)
        self._flush()

    def deal(self) -> int:
        """Deliver what was handed over, as far as it lies in a row. Returns how many packets."""
        deliver, entries, sockets = self._deliver, self._entries, self._sockets
        assert deliver is not None
        count = int(self._library.pump_collect(self.pump, self._first))
        first = int(self._first[0])
        for index in range(first, first + count):
            length, socket, opened, name = _ENTRY.unpack_from(entries, index * _ENTRY.size)
            bound = sockets[socket]
            deliver(self.arena, index, length, self._key(name, bound), bound, opened=opened)
        if count:
            self._library.pump_release(self.pump, count)
            self.lender.settle()
        return count

    def _key(self, name: bytes, bound: UdpSocket) -> Any:
        return mmsg.key(name, bound.socket.family)

    def close(self) -> None:
        """The thread has ended when this returns. Idempotent."""
        if self.pump.event >= 0:
            asyncio.get_running_loop().remove_reader(self.pump.event)
            self.end()

    def end(self) -> None:
        """As `close`, of what no loop reads."""
        self._library.pump_stop(self.pump)
        os.close(self.pump.event)
        os.close(self.pump.stop)
        self.pump.event = self.pump.stop = -1
