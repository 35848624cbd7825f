"""Session descriptions (RFC 8866, JSEP RFC 9429): a tolerant parser of offers, a builder of ICE-lite answers.

Only what the relay needs is read; unknown attributes are passed over. Nothing of an offer reaches an answer
without having been checked: a description is text, and a line break in it would be one attribute more.

``offer`` is read and ``answer`` built, of what ``model`` and ``connection`` have; ``errors`` says why not.
"""

from media.wire.sdp.answer import agree, build_answer, encodings, refusal
from media.wire.sdp.connection import connect
from media.wire.sdp.errors import OfferError
from media.wire.sdp.model import (
    ABS_SEND_TIME,
    AUDIO_LEVEL,
    MID,
    REPAIRED_RID,
    RID,
    TRANSPORT_SEQUENCE,
    Agreement,
    AnswerLine,
    AnswerParams,
    Candidate,
    Codec,
    Connection,
    Direction,
    Fingerprint,
    MediaLine,
    Offer,
    Outgoing,
)
from media.wire.sdp.offer import parse_offer

__all__ = [
    "ABS_SEND_TIME",
    "AUDIO_LEVEL",
    "MID",
    "REPAIRED_RID",
    "RID",
    "TRANSPORT_SEQUENCE",
    "Agreement",
    "AnswerLine",
    "AnswerParams",
    "Candidate",
    "Codec",
    "Connection",
    "Direction",
    "Fingerprint",
    "MediaLine",
    "Offer",
    "OfferError",
    "Outgoing",
    "agree",
    "build_answer",
    "connect",
    "encodings",
    "parse_offer",
    "refusal",
]
