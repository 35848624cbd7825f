"""The last second of a source, to send again what a subscriber lost."""

from array import array
from collections import deque

_SECONDS = 1.0


class Ring:
    """Packets by number: the newest ``size``, and of these only those of the last second.

    Kept in parallel sequences: a packet is its payload and two machine words, no object of its own. ``size`` is a power
    of two.

    Attributes:
        newest: highest number stored, -1 if none ever was.
    """

    __slots__ = ("__weakref__", "_cleared", "_marks", "mask", "newest", "numbers", "payloads", "stamps")

    def __init__(self, size: int) -> None:
        self.mask = size - 1
        self.numbers = array("q", [-1]) * size
        self.stamps = array("q", [0]) * size
        self.payloads: list[bytes | None] = [None] * size
        self.newest = -1
        self._marks: deque[tuple[float, int]] = deque()
        self._cleared = -1

    def keep(self, number: int, stamp: int, payload: bytes) -> None:
        """Store the newest packet. ``stamp``: timestamp · 256 + marker, 0x80 or 0."""
        index = number & self.mask
        self.newest = self.numbers[index] = number
        self.stamps[index] = stamp
        self.payloads[index] = payload

    def keep_late(self, number: int, stamp: int, payload: bytes) -> None:
        """Store a packet that is not the newest, unless its place is taken by a newer one."""
        if number > self.newest - len(self.numbers):
            index = number & self.mask
            self.numbers[index] = number
            self.stamps[index] = stamp
            self.payloads[index] = payload

    def get(self, number: int) -> tuple[int, int, bytes] | None:
        """Timestamp, marker (0x80 or 0) and payload."""
        index = number & self.mask
        payload = self.payloads[index]
        if payload is None or self.numbers[index] != number:
            return None
        stamp = self.stamps[index]
        return stamp >> 8, stamp & 0x80, payload

    def timestamp(self, number: int) -> int:
        """Of a packet that was stored and that no newer one displaced."""
        return self.stamps[number & self.mask] >> 8

    def knows(self, number: int) -> bool:
        """Whether it was stored once, even if it is gone by now, or is older than anybody can tell."""
        return number <= self.newest - len(self.numbers) or self.numbers[number & self.mask] == number

    def expire(self, now: float) -> None:
        """Drop what was stored more than a second ago, to the step that this is called in."""
        marks = self._marks
        marks.append((now, self.newest))
        if now - marks[0][0] < _SECONDS:
            return
        upto = self._cleared
        while marks and now - marks[0][0] >= _SECONDS:
            upto = marks.popleft()[1]
        first = max(self._cleared, self.newest - len(self.numbers)) + 1
        for number in range(first, upto + 1):
            index = number & self.mask
            if self.numbers[index] <= upto:
                self.payloads[index] = None
        self._cleared = max(self._cleared, upto)
