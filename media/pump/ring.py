"""The last second of a stream where the pump can reach it."""

from typing import Any

from media.forwarding.ring import Ring
from media.pump.library import ffi

_EMPTY = (-1).to_bytes(8, "little", signed=True) + bytes(24)
_WORDS = 4


class SharedRing(Ring):
    """As `Ring`, in memory of the pump's stream. To be used by whoever has the stream."""

    __slots__ = ("_ring",)

    def __init__(self, library: Any, stream: Any, size: int) -> None:
        packets = ffi.new("struct kept[]", size)
        ffi.buffer(packets)[:] = _EMPTY * size
        words = memoryview(ffi.buffer(packets)).cast("B").cast("q")
        self._ring = ring = stream.ring
        ring.mask, ring.newest, ring.cleared, ring.packets = size - 1, -1, -1, packets
        self.mask = size - 1
        self.numbers = words[0::_WORDS]  # type: ignore[assignment]  # is used like an array
        self.stamps = words[1::_WORDS]  # type: ignore[assignment]  # the same
        self.payloads = _Payloads(library, stream, packets)  # type: ignore[assignment]  # is used like a list

    @property
    def newest(self) -> int:
        return int(self._ring.newest)

    @newest.setter
    def newest(self, number: int) -> None:
        self._ring.newest = number


class _Payloads:
    """Payloads by index; each has memory of its own, as long as it is kept."""

    __slots__ = ("_library", "_packets", "_stream")

    def __init__(self, library: Any, stream: Any, packets: Any) -> None:
        self._library = library
        self._stream = stream
        self._packets = packets

    def __getitem__(self, index: int) -> bytes | None:
        place = self._packets[index]
        return bytes(ffi.buffer(place.payload, place.size)) if place.payload else None

    def __setitem__(self, index: int, payload: bytes) -> None:
        self._library.pump_store(self._stream, index, payload, len(payload))
