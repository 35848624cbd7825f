"""Which frames of a stream with temporal layers go on, numbered so that nobody sees what was left out."""

from bisect import bisect_right

from media.wire.vp8 import is_keyframe, temporal_layer, with_earlier_picture

_REMEMBERED = 512
ALL = 3
"""No temporal layer is above it (RFC 7741, 4.2: two bits)."""


class Thinning:
    """Frames above a temporal layer are left out, whole; the layer changes between frames.

    It falls at once. It rises by one layer at a time, at a frame of it that leans on nothing that was left out (its Y
    bit), or at a key frame at once. Thinned numbers and PictureIDs have no gaps where frames were left out: without
    that a decoder waits for them.

    Attributes:
        highest: temporal layer that goes on now.
        wanted: where it is to go.
    """

    __slots__ = ("_drop", "_firsts", "_frames", "_lasts", "_newest", "_packets", "_timestamp", "highest", "wanted")

    def __init__(self, wanted: int, number: int = -1, timestamp: int = -1) -> None:
        """``number`` and ``timestamp`` of the last packet that went out before: its frame is not cut off."""
        self.highest = ALL
        self.wanted = wanted
        self._newest = number
        self._timestamp = timestamp
        self._drop = False
        # Of each frame that was left out: its first and last packet, and how many packets before it were left out.
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        self._packets: list[int] = []
        # How many frames were left out before the first that is remembered.
        self._frames = 0

    def thin(self, number: int, timestamp: int, payload: bytes) -> tuple[int, bytes] | None:
        """The thinned number and the payload to send a packet with; None if it is left out."""
        if number > self._newest:
            self._newest = number
            if timestamp != self._timestamp:
                self._timestamp = timestamp
                self._drop = self._begins(payload)
                if self._drop:
                    self._leave_out(number)
            elif self._drop:
                self._lasts[-1] = number
            if self._drop:
                return None
        return self._placed(number, payload)

    def stored_number(self, thinned: int) -> int:
        """The number of the packet that went out with a thinned one."""
        at = bisect_right(range(len(self._firsts)), thinned, key=lambda one: self._firsts[one] - self._packets[one])
        return thinned + (self._left_out(at - 1) if at else self._forgotten)

    def as_sent(self, number: int, payload: bytes) -> bytes:
        """The payload as it went out."""
        return with_earlier_picture(payload, self._frames + bisect_right(self._firsts, number))

    # --- which frames ------------------------------------------------------------------------------------------------

    def _begins(self, payload: bytes) -> bool:
        """Whether the frame that begins is left out."""
        layer, alone = temporal_layer(payload) or (0, False)
        self.highest = min(self.highest, self.wanted)
        if is_keyframe(payload):
            self.highest = self.wanted
        elif layer == self.highest + 1 <= self.wanted and alone:
            self.highest = layer
        return layer > self.highest

    def _leave_out(self, number: int) -> None:
        if len(self._firsts) >= _REMEMBERED:
            half = _REMEMBERED // 2
            del self._firsts[:half], self._lasts[:half], self._packets[:half]
            self._frames += half
        packets = self._left_out(-1) if self._firsts else 0
        self._firsts.append(number)
        self._lasts.append(number)
        self._packets.append(packets)

    # --- numbers -----------------------------------------------------------------------------------------------------

    @property
    def _forgotten(self) -> int:
        """Packets left out before all that is remembered."""
        return self._packets[0] if self._packets else 0

    def _left_out(self, index: int) -> int:
        """Packets left out up to the end of a frame."""
        return self._packets[index] + self._lasts[index] - self._firsts[index] + 1

    def _placed(self, number: int, payload: bytes) -> tuple[int, bytes] | None:
        at = bisect_right(self._firsts, number)
        if not at:
            return number - self._forgotten, with_earlier_picture(payload, self._frames)
        if number <= self._lasts[at - 1]:
            return None
        return number - self._left_out(at - 1), with_earlier_picture(payload, self._frames + at)
