"""One datagram per system call: where recvmmsg does not exist."""

import socket
import time
from typing import Any

from media.net.arena import SLOT, Arena
from media.net.outbox import Outbox

Key = tuple[Any, ...]


def host_and_port(key: Key) -> tuple[str, int]:
    """The address in a key made by `PlainReceiver.receive`."""
    return key[0], key[1]


def destination(key: Key) -> Key:
    """What `PlainOutbox` sends to."""
    return key


class PlainReceiver:
    """As `media.net.mmsg.BatchReceiver`; keys are the tuples of the socket module."""

    def __init__(self, sock: socket.socket, arena: Arena) -> None:
        self._sock = sock
        self._arena = arena
        self._slots = [arena.view[index * SLOT : (index + 1) * SLOT] for index in range(arena.slots)]

    def receive(self) -> list[tuple[int, Key]]:
        """Length and source of each datagram received, in the order of the slots; empty if there was none."""
        batch: list[tuple[int, Key]] = []
        now = time.time_ns()
        for slot in self._slots:
            try:
                batch.append(self._sock.recvfrom_into(slot))
                self._arena.stamp(len(batch) - 1, now)
            except BlockingIOError:
                break
            except OSError:
                # An earlier packet met a closed port; the next datagram is not touched by that.
                continue
        return batch


class PlainOutbox(Outbox):
    """As `media.net.mmsg.BatchOutbox`."""

    def __init__(self, sock: socket.socket, slots: int) -> None:
        super().__init__(slots)
        self._sock = sock

    def flush(self) -> None:
        count, view = self.count, self.view
        self.count = 0
        for index in range(count):
            start = index * SLOT
            try:
                self._sock.sendto(view[start : start + self._lengths[index]], self._destinations[index])
            except OSError:
                self.dropped += 1
