"""Where packets wait until they are sent together."""

from typing import Any

from media.net.arena import SLOT, Arena


class Outbox:
    """Packets written into an arena, each with its destination.

    Write the packet into slot ``count``, then call `queue`. Subclasses send in `flush`.

    Attributes:
        view, buffer, pointers: of the arena, one attribute nearer.
        count: packets waiting; the slot to write next.
        congested: the receiver takes no more for now; video should pause until its next key frame.
        dropped: packets that the system refused.
    """

    transport = "udp"

    def __init__(self, slots: int) -> None:
        arena = Arena(slots)
        self.memory = arena
        self.view = arena.view
        self.buffer = arena.buffer
        self.pointers = arena.pointers
        self.slots = slots
        self.count = 0
        self.congested = False
        self.dropped = 0
        self._lengths = [0] * slots
        self._destinations: list[Any] = [None] * slots

    def queue(self, destination: Any, length: int) -> None:
        """Take the packet in slot ``count``; a full box is flushed at once."""
        count = self.count
        self._lengths[count] = length
        self._destinations[count] = destination
        self.count = count + 1
        if count + 1 == self.slots:
            self.flush()

    def queue_bytes(self, destination: Any, data: bytes) -> None:
        """Take a packet that was made elsewhere (STUN, DTLS), at most a slot long."""
        start = self.count * SLOT
        self.buffer[start : start + len(data)] = data
        self.queue(destination, len(data))

    def flush(self) -> None:
        """Send what waits and empty the box. Never blocks; what the system refuses is dropped and counted."""
        raise NotImplementedError
