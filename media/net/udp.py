"""The one UDP port of a worker: a socket for each address family, received and sent in batches."""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any

from media.net import mmsg, plain
from media.net.arena import Arena
from media.net.outbox import Outbox
from media.net.pulse import Pulse

logger = logging.getLogger(__name__)

BATCH = 64
_BUFFER = 4 << 20
_ROUNDS = 4
_WINDOW = 0.1
_BUSY_BATCH, _IDLE_BATCH = 1.5, 0.75

Deliver = Callable[[Arena, list[tuple[int, Any]], "UdpSocket"], None]
"""Takes a batch: the arena it lies in, length and source key of each datagram, and the socket it came by."""


class UdpSocket:
    """A bound, non-blocking socket with its receiver and its outbox.

    Attributes:
        host_and_port, destination: of a source's key, its address, and what the outbox sends to.
    """

    def __init__(self, address: str, port: int, arena: Arena, *, batched: bool = mmsg.AVAILABLE) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self.socket.setblocking(False)
            if family == socket.AF_INET6:
                self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                self.socket.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
            self.socket.bind((address, port))
        except OSError:
            self.socket.close()
            raise
        self.address = address
        self.port: int = self.socket.getsockname()[1]
        self.arena = arena
        self.receiver: mmsg.BatchReceiver | plain.PlainReceiver
        self.outbox: Outbox
        if batched:
            self.receiver = mmsg.BatchReceiver(self.socket, arena)
            self.outbox = mmsg.BatchOutbox(self.socket, 4 * BATCH)
            self.host_and_port: Callable[[Any], tuple[str, int]] = mmsg.host_and_port
            self.destination: Callable[[Any], Any] = mmsg.destination
        else:
            self.receiver = plain.PlainReceiver(self.socket, arena)
            self.outbox = plain.PlainOutbox(self.socket, 4 * BATCH)
            self.host_and_port = plain.host_and_port
            self.destination = plain.destination


class UdpPort:
    """All sockets of the worker's port. ``deliver`` is called with each batch, ``flush`` at the end of a wake-up.

    Being woken costs more than a packet. So from ``wake_interval`` being worth one and a half packets on, the port
    is looked at once in that time instead of at every packet, as network cards do; 0 never does that.
    """

    def __init__(
        self,
        addresses: list[str],
        port: int,
        deliver: Deliver,
        flush: Callable[[], None],
        *,
        wake_interval: float = 0.0,
        batched: bool = mmsg.AVAILABLE,
    ) -> None:
        self._deliver = deliver
        self._flush = flush
        self._wake_interval = wake_interval
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pulse = Pulse(wake_interval, self._look) if wake_interval else None
        self._counted = 0
        self._since = 0.0
        self.arena = Arena(BATCH)
        self.sockets: list[UdpSocket] = []
        self.port = port
        try:
            for address in addresses:
                self._bind(address, batched)
        except OSError:
            self.close()
            raise

    def _bind(self, address: str, batched: bool) -> None:
        try:
            bound = UdpSocket(address, self.port, self.arena, batched=batched)
        except OSError as error:
            # A host without IPv6 (EAFNOSUPPORT, EADDRNOTAVAIL) still serves IPv4; a taken port is an error.
            if ":" in address and self.sockets and error.errno in (97, 99, 49, 47):
                logger.info("media: no IPv6 on this host")
                return
            raise
        self.sockets.append(bound)
        self.port = bound.port

    def start(self) -> None:
        """Begin to deliver, on the running loop."""
        self._loop = asyncio.get_running_loop()
        for bound in self.sockets:
            self._loop.add_reader(bound.socket.fileno(), self._readable, bound)

    def _readable(self, bound: UdpSocket) -> None:
        self._counted += self._receive(bound)
        self._flush()
        if self._pulse is not None and self._rate_says(lambda batch: batch > _BUSY_BATCH):
            self._stop_reading()
            self._pulse.start()

    def _look(self) -> None:
        """Once in the wake interval, while the port is busy."""
        for bound in self.sockets:
            self._counted += self._receive(bound)
        self._flush()
        if self._pulse is not None and self._rate_says(lambda batch: batch < _IDLE_BATCH):
            self._pulse.stop()
            self.start()

    def _rate_says(self, change: Callable[[float], bool]) -> bool:
        """Ten times a second: whether that many packets in a wake interval are reason to change."""
        assert self._loop is not None
        now = self._loop.time()
        elapsed = now - self._since
        if elapsed < _WINDOW:
            return False
        batch = self._counted * self._wake_interval / elapsed
        self._counted, self._since = 0, now
        return change(batch)

    def _stop_reading(self) -> None:
        if self._loop is not None:
            for bound in self.sockets:
                self._loop.remove_reader(bound.socket.fileno())

    def _receive(self, bound: UdpSocket) -> int:
        receive, deliver = bound.receiver.receive, self._deliver
        count = 0
        for _ in range(_ROUNDS):
            batch = receive()
            if batch:
                deliver(self.arena, batch, bound)
                count += len(batch)
            # A flood must not keep timers and control calls waiting.
            if len(batch) < BATCH:
                break
        return count

    def flush(self) -> None:
        """Send what waits in every outbox."""
        for bound in self.sockets:
            if bound.outbox.count:
                bound.outbox.flush()

    def close(self) -> None:
        """Idempotent."""
        if self._pulse is not None:
            self._pulse.stop()
        self._stop_reading()
        for bound in self.sockets:
            bound.socket.close()
        self.sockets.clear()
