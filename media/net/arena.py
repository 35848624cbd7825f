"""Preallocated memory for packets."""

from cffi import FFI  # type: ignore[import-untyped]  # it has no types

SLOT = 2_048
"""Bytes per packet. The longest datagram that is taken is shorter, so that a new header and a tag fit."""

WORDS = SLOT // 4

MAX_PACKET = 1_940

TIME_WORDS = 4
"""64-bit words of a control message with a time: its header, then seconds and nanoseconds."""

ffi = FFI()


class Arena:
    """``slots`` packets side by side in one block of C memory that never moves.

    Attributes:
        view: the block as bytes, for ``struct`` and indexing.
        words: the same as 32-bit words in this machine's order: quicker to read one of than to unpack.
        buffer: the block, cheapest to copy ``bytes`` into and out of.
        pointers: C pointer to each slot, for libsrtp.
        times: for each slot four words; the last two are when its packet arrived, seconds and nanoseconds of the
            wall clock, from the kernel where it tells: a busy process reads late.
        send_time: of what is forwarded from here now, as abs-send-time.
    """

    __slots__ = ("buffer", "control", "memory", "pointers", "send_time", "slots", "times", "view", "words")

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.send_time = 0
        self.memory = ffi.new("unsigned char[]", slots * SLOT)
        self.buffer = ffi.buffer(self.memory)
        self.view = memoryview(self.buffer).cast("B")
        self.words = self.view.cast("I")
        self.control = ffi.new("uint64_t[]", slots * TIME_WORDS)
        self.times = memoryview(ffi.buffer(self.control)).cast("B").cast("Q")
        self.pointers = [self.memory + index * SLOT for index in range(slots)]

    def stamp(self, index: int, nanoseconds: int) -> None:
        """Note when the packet in a slot arrived, where the kernel did not."""
        self.times[index * TIME_WORDS + 2], self.times[index * TIME_WORDS + 3] = divmod(nanoseconds, 1_000_000_000)
