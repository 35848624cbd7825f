"""Building packets. Join what they return to make a compound; sequence numbers and SSRCs are ints."""

from collections.abc import Iterable, Mapping
from struct import pack

from media.wire.rtcp.model import ReportBlock

_MAX_BLOCKS = 31


def sender_report(
    ssrc: int, ntp: int, rtp_timestamp: int, packets: int, octets: int, reports: Iterable[ReportBlock] = ()
) -> bytes:
    """SR. ``ntp`` as in SenderReport; the counts wrap at 2³²."""
    blocks = _blocks(reports)
    fields = pack("!IQIII", ssrc, ntp, rtp_timestamp & 0xFFFF_FFFF, packets & 0xFFFF_FFFF, octets & 0xFFFF_FFFF)
    return _packet(200, len(blocks), fields + b"".join(blocks))


def receiver_report(ssrc: int, reports: Iterable[ReportBlock] = ()) -> bytes:
    """RR; at most the first 31 reports."""
    blocks = _blocks(reports)
    return _packet(201, len(blocks), pack("!I", ssrc) + b"".join(blocks))


def sdes(cnames: Mapping[int, str]) -> bytes:
    """SDES with one CNAME per SSRC."""
    chunks = b""
    for ssrc, cname in cnames.items():
        text = cname.encode()[:255]
        chunk = pack("!IBB", ssrc, 1, len(text)) + text
        chunks += chunk + bytes(4 - len(chunk) % 4)
    return _packet(202, len(cnames), chunks)


def bye(ssrcs: Iterable[int]) -> bytes:
    """BYE."""
    sources = [pack("!I", ssrc) for ssrc in ssrcs]
    return _packet(203, len(sources), b"".join(sources))


def nack(sender: int, media: int, lost: Iterable[int]) -> bytes:
    """Generic NACK (RFC 4585, 6.2.1) of ``lost``, ascending in wrap-around order for the fewest bytes."""
    pairs: list[tuple[int, int]] = []
    for sequence in lost:
        distance = (sequence - pairs[-1][0]) & 0xFFFF if pairs else 0
        if pairs and 1 <= distance <= 16:
            pairs[-1] = (pairs[-1][0], pairs[-1][1] | 1 << distance - 1)
        elif not pairs or distance:
            pairs.append((sequence & 0xFFFF, 0))
    return _packet(205, 1, pack("!II", sender, media) + b"".join(pack("!HH", *pair) for pair in pairs))


def pli(sender: int, media: int) -> bytes:
    """Picture loss indication (RFC 4585, 6.3.1)."""
    return _packet(206, 1, pack("!II", sender, media))


def fir(sender: int, targets: Iterable[tuple[int, int]]) -> bytes:
    """Full intra request (RFC 5104, 4.3.1) for (SSRC, command sequence number)."""
    entries = b"".join(pack("!II", ssrc, (number & 0xFF) << 24) for ssrc, number in targets)
    return _packet(206, 4, pack("!II", sender, 0) + entries)


def remb(sender: int, bitrate: int, ssrcs: Iterable[int]) -> bytes:
    """Receiver estimated maximum bitrate in bit/s, rounded down to 18 bits of mantissa."""
    sources = [pack("!I", ssrc) for ssrc in ssrcs]
    exponent = max(0, bitrate.bit_length() - 18)
    mantissa = bitrate >> exponent
    scaled = pack("!BBH", len(sources), exponent << 2 | mantissa >> 16, mantissa & 0xFFFF)
    return _packet(206, 15, pack("!II4s", sender, 0, b"REMB") + scaled + b"".join(sources))


def _blocks(reports: Iterable[ReportBlock]) -> list[bytes]:
    return [
        pack(
            "!IIIIII",
            report.ssrc,
            (report.fraction_lost & 0xFF) << 24 | max(-0x800000, min(report.lost, 0x7FFFFF)) & 0xFFFFFF,
            report.highest_sequence & 0xFFFF_FFFF,
            min(report.jitter, 0xFFFF_FFFF),
            report.last_sr,
            min(report.delay, 0xFFFF_FFFF),
        )
        for report in reports
    ][:_MAX_BLOCKS]


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return pack("!BBH", 0x80 | count, kind, len(body) // 4) + body
