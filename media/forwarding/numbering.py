"""A publisher's sequence numbers without wrap-around and without the packets that are not forwarded."""

from bisect import bisect_right

_CLOSED_GAPS = 256


class Numbering:
    """Source numbers are extended sequence numbers (RFC 3550, A.1); dense numbers leave closed ones out.

    Attributes:
        highest: highest source number that came.
        shift: dense number = source number - shift, for numbers above the last closed one.
    """

    __slots__ = ("_closed", "_dense", "_shifts", "highest", "shift")

    def __init__(self) -> None:
        self.highest = -1
        self.shift = 0
        self._closed: list[int] = []
        self._shifts: list[int] = []
        self._dense: list[int] = []

    def begin(self, sequence: int) -> None:
        """A stream starts with ``sequence``; dense numbers go on where they were."""
        dense = self.highest - self.shift if self.highest >= 0 else -1
        # Numbers stay positive even if packets from before the first one come.
        self.highest = sequence + 0xFFFF
        self.shift = self.highest - dense
        self._closed.clear()
        self._shifts.clear()
        self._dense.clear()

    def extend(self, sequence: int) -> int:
        """The source number nearest to the highest one."""
        highest = self.highest
        return highest + ((sequence - highest + 0x8000) & 0xFFFF) - 0x8000

    def close(self, number: int) -> None:
        """``number``, the highest, is not forwarded: the next one takes its dense number."""
        self._closed.append(number)
        self._shifts.append(self.shift)
        self.shift += 1
        self._dense.append(number + 1 - self.shift)
        if len(self._closed) > _CLOSED_GAPS:
            half = _CLOSED_GAPS // 2
            del self._closed[:half], self._shifts[:half], self._dense[:half]

    def dense(self, number: int) -> int | None:
        """The dense number of a source number; None if it was closed."""
        if not self._closed or number > self._closed[-1]:
            return number - self.shift
        index = bisect_right(self._closed, number)
        if index and self._closed[index - 1] == number:
            return None
        return number - (self._shifts[index] if index < len(self._shifts) else self.shift)

    def source_number(self, dense: int) -> int:
        """The source number of a dense number."""
        index = bisect_right(self._dense, dense)
        return dense + (self._shifts[index] if index < len(self._shifts) else self.shift)
