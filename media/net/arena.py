"""Preallocated memory for packets."""

from cffi import FFI  # type: ignore[import-untyped]

SLOT = 2_048
"""Bytes per packet. The longest datagram that is taken is shorter, so that a new header and a tag fit."""

MAX_PACKET = 1_940

ffi = FFI()


class Arena:
    """``slots`` packets side by side in one block of C memory that never moves.

    Attributes:
        view: the block as bytes, for ``struct`` and indexing.
        buffer: the block, cheapest to copy ``bytes`` into and out of.
        pointers: C pointer to each slot, for libsrtp.
    """

    __slots__ = ("buffer", "memory", "pointers", "slots", "view")

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.memory = ffi.new("unsigned char[]", slots * SLOT)
        self.buffer = ffi.buffer(self.memory)
        self.view = memoryview(self.buffer).cast("B")
        self.pointers = [self.memory + index * SLOT for index in range(slots)]
