"""Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01, 3.1), RTPFB format 15."""

from collections.abc import Sequence
from functools import lru_cache
from operator import sub
from struct import pack, unpack_from

from media.wire import WireError
from media.wire.rtcp.model import TransportFeedback

MAX_FEEDBACK_BYTES = 1_000
"""Size at which a feedback is split."""

TICK = 250
_REFERENCE = 64_000
_MAX_BODY = MAX_FEEDBACK_BYTES - 32
_NOT_RECEIVED, _SMALL, _LARGE = 0, 1, 2


def transport_feedback(sender: int, media: int, count: int, arrivals: Sequence[tuple[int, int]]) -> list[bytes]:
    """Feedback for the packets that arrived, in as many RTCP packets as it takes.

    Args:
        count: feedback packet count of the first; the caller adds the number of packets returned.
        arrivals: (transport-wide sequence number, monotonic microseconds), in any order. Numbers are 16 bit and
            understood as within 32,767 of the one before; a repeated one counts as of its first mention.

    Times are rounded to 250 µs by their absolute value, so that rounding never adds up.
    """
    ordered = _in_order(arrivals)
    packets: list[bytes] = []
    start = 0
    while start < len(ordered):
        packet, start = _feedback(sender, media, count + len(packets) & 0xFF, ordered, start)
        packets.append(packet)
    return packets


def steady_feedback(sender: int, media: int, count: int, first: int, ticks: list[int]) -> bytes | None:
    """Feedback for packets that all arrived, one after the other: most feedbacks are like that, and this is quick.

    Args:
        first: transport-wide sequence number of the first; the others follow it.
        ticks: arrivals in units of 250 µs, as many as fit into MAX_FEEDBACK_BYTES.

    Returns None if this is not such a case: a gap of 64 ms, a packet before the one before it.
    """
    reference = ticks[0] * TICK // _REFERENCE
    try:
        deltas = bytes(map(sub, ticks, [reference * _REFERENCE // TICK, *ticks]))
    except ValueError:
        return None
    size = len(deltas)
    padding = -(size + 2) % 4
    body = (
        pack("!IIHHIH", sender, media, first, size, (reference & 0xFFFFFF) << 8 | count, _SMALL << 13 | size) + deltas
    )
    if padding:
        body += bytes(padding - 1) + bytes((padding,))
    return pack("!BBH", 0xAF if padding else 0x8F, 205, len(body) // 4) + body


def _in_order(arrivals: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Unwrapped sequence numbers, ascending, with the arrival in ticks."""
    ordered: list[tuple[int, int]] = []
    last = arrivals[0][0] - 1 if arrivals else 0
    sorted_already = True
    for sequence, microseconds in arrivals:
        unwrapped = last + ((sequence - last + 0x8000) & 0xFFFF) - 0x8000
        sorted_already &= unwrapped > last
        ordered.append((unwrapped, microseconds // TICK))
        last = unwrapped
    if sorted_already:
        return ordered
    first_mentions: dict[int, int] = {}
    for sequence, tick in ordered:
        first_mentions.setdefault(sequence, tick)
    return sorted(first_mentions.items())


def _feedback(sender: int, media: int, count: int, received: list[tuple[int, int]], start: int) -> tuple[bytes, int]:
    """One packet about what was received from ``start`` on, and where the next one starts.

    It ends where a delta does not fit into 16 bits or where the packet would grow too large.
    """
    base, tick = received[start]
    reference = tick * TICK // _REFERENCE
    before, expected, end = reference * _REFERENCE // TICK, base, start
    symbols, deltas = bytearray(), bytearray()
    for sequence, tick in received[start:]:
        delta, gap = tick - before, sequence - expected
        if not -0x8000 <= delta <= 0x7FFF or (len(symbols) + gap) * 2 // 7 + len(deltas) > _MAX_BODY:
            break
        if gap:
            symbols += bytes(gap)
        if 0 <= delta <= 0xFF:
            symbols.append(_SMALL)
            deltas.append(delta)
        else:
            symbols.append(_LARGE)
            deltas += pack("!h", delta)
        before, expected, end = tick, sequence + 1, end + 1
    body = pack("!IIHHI", sender, media, base & 0xFFFF, len(symbols), (reference & 0xFFFFFF) << 8 | count)
    body += _chunks(symbols) + deltas
    padding = -len(body) % 4
    if padding:
        body += bytes(padding - 1) + bytes((padding,))
    return pack("!BBH", 0xAF if padding else 0x8F, 205, len(body) // 4) + body, end


def _chunks(symbols: bytearray) -> bytes:
    """One run where all arrived without a pause; else status vectors of seven, and runs of what did not arrive."""
    size = len(symbols)
    if symbols.count(_SMALL) == size:
        return pack("!H", _SMALL << 13 | size)
    chunks = bytearray()
    position = 0
    while position < size:
        missing = size - position - len(symbols[position:].lstrip(b"\0"))
        if missing > 7:
            chunks += pack("!H", missing)
            position += missing
        else:
            chunks += _vector(bytes(symbols[position : position + 7]))
            position += 7
    return bytes(chunks)


@lru_cache(4_096)
def _vector(symbols: bytes) -> bytes:
    chunk = 0xC000
    for index, symbol in enumerate(symbols):
        chunk |= symbol << 12 - 2 * index
    return pack("!H", chunk)


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
        time += delta * TICK
        arrivals.append(time)
    return TransportFeedback(sender, media, base, count, reference, arrivals)


def _symbols(chunk: int) -> list[int]:
    if not chunk & 0x8000:
        return [chunk >> 13 & 3] * (chunk & 0x1FFF)
    if not chunk & 0x4000:
        return [chunk >> bit & 1 for bit in range(13, -1, -1)]
    return [chunk >> bit & 3 for bit in range(12, -1, -2)]
