"""RTCP (RFC 3550, 4585, 5104, 5506; REMB; transport-wide feedback): a tolerant parser, and builders.

A compound is what the other side put into one datagram. Of its packets those that are unknown, cut off or
malformed are skipped, so that one bad report costs no more than itself.

``parse`` makes what ``model`` has of bytes, ``pack`` bytes of it; ``feedback`` is how each packet arrived.
"""

from media.wire.rtcp.feedback import MAX_FEEDBACK_BYTES, steady_feedback, transport_feedback
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
    TransportFeedback,
)
from media.wire.rtcp.pack import bye, fir, nack, pli, receiver_report, remb, sdes, sender_report
from media.wire.rtcp.parse import parse

__all__ = [
    "MAX_FEEDBACK_BYTES",
    "Bye",
    "FullIntraRequest",
    "Nack",
    "Packet",
    "PictureLoss",
    "ReceiverEstimate",
    "ReceiverReport",
    "ReportBlock",
    "SenderReport",
    "SourceDescription",
    "TransportFeedback",
    "bye",
    "fir",
    "nack",
    "parse",
    "pli",
    "receiver_report",
    "remb",
    "sdes",
    "sender_report",
    "steady_feedback",
    "transport_feedback",
]
