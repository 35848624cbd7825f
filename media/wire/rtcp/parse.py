"""Parsing of compounds."""

from collections.abc import Callable, Iterator
from struct import Struct, error, iter_unpack, unpack_from

from media.wire import WireError
from media.wire.rtcp.feedback import parse_transport_feedback
from media.wire.rtcp.model import (
    Bye,
    FullIntraRequest,
    Nack,
    Packet,
    PictureLoss,
    ReceiverEstimate,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    SourceDescription,
)

_REPORT = Struct("!IIIIII")
_CNAME = 1
_MAX_BYTES = 2_048


def parse(data: bytes | bytearray | memoryview) -> list[Packet]:
    """The known packets of a compound, in order; also of a reduced-size one (RFC 5506).

    Raises:
        WireError: not RTCP at all: too short or long, another version, or a length that no packet fits in.
    """
    if not 4 <= len(data) <= _MAX_BYTES:
        raise WireError("no RTCP packet")
    view = bytes(data)
    packets: list[Packet] = []
    position = 0
    while position + 4 <= len(view):
        flags, kind, words = unpack_from("!BBH", view, position)
        end = position + 4 + 4 * words
        if flags >> 6 != 2 or end > len(view):
            if position == 0:
                raise WireError("RTCP version or length does not match")
            break
        body = view[position + 4 : end]
        # Padding may only be on the last packet, its last byte counts itself (RFC 3550, 6.4.1).
        if flags & 0x20 and body:
            body = body[: max(0, len(body) - body[-1])] if body[-1] else body
        packet = _packet(kind, flags & 0x1F, body)
        if packet is not None:
            packets.append(packet)
        position = end
    return packets


def _packet(kind: int, count: int, body: bytes) -> Packet | None:
    read = _READERS.get(kind)
    try:
        return read(count, body) if read else None
    except (error, WireError):
        return None


def _sender_report(count: int, body: bytes) -> SenderReport:
    ssrc, ntp, timestamp, packets, octets = unpack_from("!IQIII", body)
    return SenderReport(ssrc, ntp, timestamp, packets, octets, list(_reports(count, body, 24)))


def _receiver_report(count: int, body: bytes) -> ReceiverReport:
    return ReceiverReport(unpack_from("!I", body)[0], list(_reports(count, body, 4)))


def _reports(count: int, body: bytes, start: int) -> Iterator[ReportBlock]:
    """``count`` blocks; what follows them is a profile's extension."""
    for position in range(start, min(start + count * _REPORT.size, len(body) - _REPORT.size + 1), _REPORT.size):
        ssrc, loss, highest, jitter, last_sr, delay = _REPORT.unpack_from(body, position)
        lost = (loss & 0xFFFFFF) - ((loss & 0x800000) << 1)
        yield ReportBlock(ssrc, loss >> 24, lost, highest, jitter, last_sr, delay)


def _source_description(count: int, body: bytes) -> SourceDescription:
    cnames: dict[int, str] = {}
    position = 0
    for _ in range(count):
        if position + 4 > len(body):
            break
        ssrc = unpack_from("!I", body, position)[0]
        position += 4
        while position < len(body) and body[position]:
            item, size = unpack_from("!BB", body, position)
            if item == _CNAME:
                cnames[ssrc] = body[position + 2 : position + 2 + size].decode("utf-8", "replace")
            position += 2 + size
        position = (position + 4) & ~3
    return SourceDescription(cnames)


def _bye(count: int, body: bytes) -> Bye:
    return Bye([ssrc for (ssrc,) in iter_unpack("!I", body[: min(4 * count, len(body) & ~3)])])


def _transport_layer(form: int, body: bytes) -> Packet | None:
    sender, media = unpack_from("!II", body)
    if form == 1:
        return Nack(sender, media, list(_lost(body[8:])))
    return parse_transport_feedback(sender, media, body[8:]) if form == 15 else None


def _lost(pairs: bytes) -> Iterator[int]:
    for first, mask in iter_unpack("!HH", pairs[: len(pairs) & ~3]):
        yield first
        for bit in range(16):
            if mask >> bit & 1:
                yield (first + bit + 1) & 0xFFFF


def _payload_specific(form: int, body: bytes) -> Packet | None:
    sender, media = unpack_from("!II", body)
    if form == 1:
        return PictureLoss(sender, media)
    if form == 4:
        entries = body[8 : 8 + (len(body) - 8 & ~7)]
        return FullIntraRequest(sender, [(ssrc, number >> 24) for ssrc, number in iter_unpack("!II", entries)])
    if form == 15 and body[8:12] == b"REMB":
        count, scale, mantissa = unpack_from("!BBH", body, 12)
        bitrate = ((scale & 3) << 16 | mantissa) << (scale >> 2)
        ssrcs = body[16 : min(16 + 4 * count, len(body) & ~3)]
        return ReceiverEstimate(sender, bitrate, [ssrc for (ssrc,) in iter_unpack("!I", ssrcs)])
    return None


_READERS: dict[int, Callable[[int, bytes], Packet | None]] = {
    200: _sender_report,
    201: _receiver_report,
    202: _source_description,
    203: _bye,
    205: _transport_layer,
    206: _payload_specific,
}
