"""Video frames leave only if they end as encrypted frames do."""

from media.wire.trailer import has_trailer
from media.wire.vp8 import header_size

_MAX_HELD = 512

HeldPacket = tuple[int, int, int, bytes]


class FrameGuard:
    """Watches the frames of one video source.

    While the frame before ended with a trailer, packets of the next one may be forwarded as they come: at most one
    frame's packets leave before its last packet shows that it was in clear. At the beginning, and after a frame
    whose last packet is missing, the packets of a frame are held until its own last packet has shown the trailer.

    Attributes:
        frame: timestamp of the newest frame.
        trusted: its packets may go out now.
        ended: its last packet had the trailer.
        held: packets that wait.
    """

    __slots__ = ("_before", "ended", "frame", "held", "trusted")

    def __init__(self) -> None:
        self.frame = -1
        self.trusted = False
        self.held: list[HeldPacket] = []
        self.ended = False
        self._before = -1

    def state(self) -> tuple[int, int, bool, bool]:
        """What `restore` takes; nothing is held."""
        return self.frame, self._before, self.trusted, self.ended

    def restore(self, frame: int, before: int, trusted: int, ended: int) -> None:
        """Go on from a state that another went on from meanwhile."""
        self.frame, self._before, self.trusted, self.ended = frame, before, bool(trusted), bool(ended)

    def begin(self, timestamp: int) -> None:
        """The first packet of a newer frame."""
        if not self.ended:
            self.trusted = False
            self._before = self.frame
        self.ended = False
        self.frame = timestamp

    def end(self, payload: bytes) -> bool:
        """The last packet of the newest frame. False: it was not encrypted."""
        if not has_trailer(payload, header_size(payload)):
            return False
        self.ended = self.trusted = True
        return True

    def end_late(self, timestamp: int, payload: bytes) -> bool:
        """The last packet of a frame, after newer packets. False: it was not encrypted."""
        if not has_trailer(payload, header_size(payload)):
            return False
        if timestamp == self._before:
            self.trusted = True
        return True

    def hold(self, number: int, timestamp: int, marker: int, payload: bytes) -> bool:
        """False: too many wait, all are dropped."""
        self.held.append((number, timestamp, marker, payload))
        if len(self.held) <= _MAX_HELD:
            return True
        self.held.clear()
        return False

    def release(self) -> list[HeldPacket]:
        """The packets that waited, in order of their numbers."""
        held, self.held = sorted(self.held), []
        return held
