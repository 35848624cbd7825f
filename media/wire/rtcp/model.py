"""The RTCP packets that the relay reads."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """RFC 3550, 6.4.1.

    Attributes:
        fraction_lost: 0 to 255, of 256, since the report before.
        lost: packets lost since the beginning, signed (duplicates make it negative).
        highest_sequence: extended, 32 bits.
        jitter: in timestamp units.
        last_sr: middle 32 bits of the last sender report's NTP time, 0 if there was none.
        delay: since then, in 1/65,536 s.
    """

    ssrc: int
    fraction_lost: int
    lost: int
    highest_sequence: int
    jitter: int
    last_sr: int
    delay: int


@dataclass(frozen=True, slots=True)
class SenderReport:
    """``ntp``: 64-bit fixed point, seconds since 1900 · 2³²."""

    ssrc: int
    ntp: int
    rtp_timestamp: int
    packets: int
    octets: int
    reports: list[ReportBlock]


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    ssrc: int
    reports: list[ReportBlock]


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """``cnames``: SSRC → CNAME."""

    cnames: dict[int, str]


@dataclass(frozen=True, slots=True)
class Bye:
    ssrcs: list[int]


@dataclass(frozen=True, slots=True)
class Nack:
    """``lost``: 16-bit sequence numbers as listed."""

    sender: int
    media: int
    lost: list[int]


@dataclass(frozen=True, slots=True)
class PictureLoss:
    sender: int
    media: int


@dataclass(frozen=True, slots=True)
class FullIntraRequest:
    """``targets``: (SSRC, command number); the media SSRC of a FIR's header means nothing (RFC 5104, 4.3.1)."""

    sender: int
    targets: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class ReceiverEstimate:
    """REMB (draft-alvestrand-rmcat-remb). ``bitrate`` in bit/s, for all of ``ssrcs`` together."""

    sender: int
    bitrate: int
    ssrcs: list[int]


@dataclass(frozen=True, slots=True)
class TransportFeedback:
    """draft-holmer-rmcat-transport-wide-cc-extensions-01, 3.1.

    Attributes:
        base: transport-wide sequence number of the first packet.
        count: feedback packet count, 8 bits.
        reference: in units of 64 ms, signed 24 bits.
        arrivals: per packet from ``base``: microseconds since the reference, None if it did not arrive.
    """

    sender: int
    media: int
    base: int
    count: int
    reference: int
    arrivals: list[int | None]


Packet = (
    SenderReport
    | ReceiverReport
    | SourceDescription
    | Bye
    | Nack
    | PictureLoss
    | FullIntraRequest
    | ReceiverEstimate
    | TransportFeedback
)
