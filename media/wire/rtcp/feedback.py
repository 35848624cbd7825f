"""Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01, 3.1), RTPFB format 15."""

from collections.abc import Iterator, Sequence
from struct import pack, unpack_from

from media.wire import WireError
from media.wire.rtcp.model import TransportFeedback

MAX_FEEDBACK_BYTES = 1_000
"""Size at which a feedback is split."""

_TICK = 250
_REFERENCE = 64_000
_NOT_RECEIVED, _SMALL, _LARGE = 0, 1, 2


def transport_feedback(sender: int, media: int, count: int, arrivals: Sequence[tuple[int, int]]) -> list[bytes]:
    """Feedback for the packets that arrived, in as many RTCP packets as it takes.

    Args:
        count: feedback packet count of the first; the caller adds the number of packets returned.
        arrivals: (transport-wide sequence number, monotonic microseconds), in any order. Numbers are 16 bit and
            understood as within 32,767 of the first; a repeated one counts as of its first mention.

    Times are rounded to 250 µs by their absolute value, so that rounding never adds up.
    """
    return [
        _feedback(sender, media, count + index & 0xFF, part) for index, part in enumerate(_parts(_in_order(arrivals)))
    ]


def _in_order(arrivals: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Unwrapped sequence numbers, ascending, with the arrival in ticks."""
    if not arrivals:
        return []
    first = arrivals[0][0]
    ticks: dict[int, int] = {}
    for sequence, microseconds in arrivals:
        offset = (sequence - first + 0x8000 & 0xFFFF) - 0x8000
        ticks.setdefault(first + offset, microseconds // _TICK)
    return sorted(ticks.items())


def _parts(received: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """Split where a delta does not fit into 16 bits, or a part grows too large."""
    part: list[tuple[int, int]] = []
    size = 0
    for sequence, tick in received:
        if part:
            delta, gap = tick - part[-1][1], sequence - part[-1][0]
            # At most two status bits and two delta bytes a packet; a run of missing ones costs a chunk per 7.
            size += 2 + (gap + 6) // 7 * 2
            if not -0x8000 <= delta <= 0x7FFF or size > MAX_FEEDBACK_BYTES - 24:
                yield part
                part, size = [], 0
        part.append((sequence, tick))
    if part:
        yield part


def _feedback(sender: int, media: int, count: int, received: list[tuple[int, int]]) -> bytes:
    base, last = received[0][0], received[-1][0]
    reference = received[0][1] * _TICK // _REFERENCE
    before = reference * _REFERENCE // _TICK
    symbols = [_NOT_RECEIVED] * (last - base + 1)
    deltas = bytearray()
    for sequence, tick in received:
        delta, before = tick - before, tick
        small = 0 <= delta <= 0xFF
        symbols[sequence - base] = _SMALL if small else _LARGE
        deltas += pack("!B" if small else "!h", delta)
    body = pack("!IIHH", sender, media, base & 0xFFFF, len(symbols))
    body += pack("!I", (reference & 0xFFFFFF) << 8 | count) + _chunks(symbols) + deltas
    padding = -len(body) % 4
    if padding:
        body += bytes(padding - 1) + bytes((padding,))
    return pack("!BBH", 0xAF if padding else 0x8F, 205, len(body) // 4) + body


def _chunks(symbols: list[int]) -> bytes:
    """Two-bit status vectors of seven packets; runs only where nothing arrived for longer than that."""
    chunks = bytearray()
    position = 0
    while position < len(symbols):
        run = position
        while run < len(symbols) and symbols[run] == _NOT_RECEIVED and run - position < 0x1FFF:
            run += 1
        if run - position > 7:
            chunks += pack("!H", run - position)
            position = run
            continue
        chunk = 0xC000
        for index, symbol in enumerate(symbols[position : position + 7]):
            chunk |= symbol << 12 - 2 * index
        chunks += pack("!H", chunk)
        position += 7
    return bytes(chunks)


def parse_transport_feedback(sender: int, media: int, body: bytes) -> TransportFeedback:
    """Parse what follows the two SSRCs.

    Raises:
        WireError: cut off.
        struct.error: cut off.
    """
    base, packets, reference = unpack_from("!HHI", body)
    count, reference = reference & 0xFF, reference >> 8
    reference -= (reference & 0x800000) << 1
    symbols: list[int] = []
    position = 8
    while len(symbols) < packets:
        symbols += _symbols(unpack_from("!H", body, position)[0])
        position += 2
    arrivals: list[int | None] = []
    time = 0
    for symbol in symbols[:packets]:
        if symbol == _NOT_RECEIVED:
            arrivals.append(None)
            continue
        if symbol not in (_SMALL, _LARGE):
            raise WireError("reserved packet status")
        delta = unpack_from("!B" if symbol == _SMALL else "!h", body, position)[0]
        # The status numbers are also the sizes of their deltas.
        position += symbol
        time += delta * _TICK
        arrivals.append(time)
    return TransportFeedback(sender, media, base, count, reference, arrivals)


def _symbols(chunk: int) -> list[int]:
    if not chunk & 0x8000:
        return [chunk >> 13 & 3] * (chunk & 0x1FFF)
    if not chunk & 0x4000:
        return [chunk >> bit & 1 for bit in range(13, -1, -1)]
    return [chunk >> bit & 3 for bit in range(12, -1, -2)]
