"""From an offer and what its lines are for to what a peer sends and receives, and back to an answer."""

from dataclasses import dataclass

from media.control import STAGE, Line, Source
from media.publication import Format
from media.slot import SlotFormat
from media.wire import WireError
from media.wire.sdp import (
    ABS_SEND_TIME,
    AUDIO_LEVEL,
    MID,
    TRANSPORT_SEQUENCE,
    Agreement,
    MediaLine,
    Offer,
    agree,
)

_KINDS: dict[str, str] = {"microphone": "audio", "camera": "video", "screen": "video"}
_MAX_SLOT = 63


@dataclass(frozen=True, slots=True)
class SendLine:
    """An m-line on which the peer sends.

    Attributes:
        ssrcs: announced SSRC → whether it carries repairs.
    """

    source: Source
    form: Format
    mid: str
    mid_extension: int
    ssrcs: dict[int, bool]


@dataclass(frozen=True, slots=True)
class ReceiveLine:
    """An m-line on which the peer receives; ``number`` of its slot."""

    number: int
    form: SlotFormat


@dataclass(frozen=True, slots=True)
class Plan:
    """What is made of an offer. ``inactive``: m-lines that are kept and idle (a screen that is not shared now)."""

    send: dict[Source, SendLine]
    receive: dict[str, ReceiveLine]
    inactive: list[str]


def plan(offer: Offer, lines: list[Line]) -> Plan:
    """Check the lines against the offer.

    Raises:
        WireError: a line that is not in the offer or used twice, of the wrong kind or direction.
    """
    made = Plan({}, {}, [])
    for line in lines:
        media = offer.line(line.mid)
        if media is None:
            raise WireError("a line that is not in the offer")
        # The relay mixes nothing and learns nothing from levels: what is not needed is not received.
        media.extensions.pop(AUDIO_LEVEL, None)
        if line.mid in made.receive or line.mid in made.inactive or any(s.mid == line.mid for s in made.send.values()):
            raise WireError("a line with two uses")
        agreement = agree(media)
        if media.direction == "inactive" or agreement is None:
            made.inactive.append(line.mid)
        elif line.use == "slot" or line.use == "stage":
            made.receive[line.mid] = _receive_line(media, agreement, line, made)
        else:
            made.send[line.use] = _send_line(media, agreement, line.use, made)
    return made


def _send_line(media: MediaLine, agreement: Agreement, source: Source, made: Plan) -> SendLine:
    if media.kind != _KINDS[source] or media.direction not in ("sendonly", "sendrecv") or source in made.send:
        raise WireError("a line that cannot be this source")
    repairs = set(media.fid.values())
    return SendLine(
        source=source,
        form=Format(
            kind=media.kind,
            payload_type=agreement.codec.payload_type,
            rtx_payload_type=agreement.rtx_payload_type,
            clock_rate=agreement.codec.clock_rate,
            transport_sequence=agreement.extensions.get(TRANSPORT_SEQUENCE, 0),
            nack="nack" in agreement.feedback,
        ),
        mid=media.mid,
        mid_extension=agreement.extensions.get(MID, 0),
        ssrcs={ssrc: ssrc in repairs for ssrc in media.ssrcs},
    )


def _receive_line(media: MediaLine, agreement: Agreement, line: Line, made: Plan) -> ReceiveLine:
    number = STAGE if line.use == "stage" else line.slot
    if number is None or not STAGE <= number <= _MAX_SLOT or (number == STAGE) != (line.use == "stage"):
        raise WireError("a slot without a number")
    if media.direction not in ("recvonly", "sendrecv"):
        raise WireError("a slot that cannot receive")
    if any(other.number == number and other.form.kind == media.kind for other in made.receive.values()):
        raise WireError("a slot with two lines of a kind")
    return ReceiveLine(
        number,
        SlotFormat(
            mid=media.mid,
            kind=media.kind,
            payload_type=agreement.codec.payload_type,
            rtx_payload_type=agreement.rtx_payload_type,
            clock_rate=agreement.codec.clock_rate,
            send_time=_one_byte(agreement.extensions.get(ABS_SEND_TIME, 0)),
            mid_extension=_one_byte(agreement.extensions.get(MID, 0)),
        ),
    )


def _one_byte(identifier: int) -> int:
    """Ids past 14 need the two-byte form, which nothing that the relay writes is worth."""
    return identifier if identifier <= 14 else 0
