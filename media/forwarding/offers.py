"""From an offer and what its lines are for to what a peer sends and receives, and back to an answer."""

from dataclasses import dataclass

from media.control import STAGE, Answered, Line, RefusedLine, SlotView, Source, Unusable
from media.forwarding.slot import SlotFormat
from media.forwarding.uplink import Format
from media.refusals import LineReason, Reason
from media.wire.rtp import extension_text
from media.wire.sdp import (
    ABS_SEND_TIME,
    AUDIO_LEVEL,
    MID,
    REPAIRED_RID,
    RID,
    TRANSPORT_SEQUENCE,
    Agreement,
    Connection,
    MediaLine,
    Offer,
    OfferError,
    agree,
    connect,
    encodings,
    refusal,
)

_KINDS: dict[str, str] = {"microphone": "audio", "camera": "video", "screen": "video"}
_MAX_SLOT = 63


@dataclass(frozen=True, slots=True)
class SendLine:
    """An m-line on which the peer sends.

    Attributes:
        ssrcs: announced SSRC → whether it carries repairs.
        rids: of the layers that it is sent in; empty for one stream.
        rid_extension, repaired_extension: in which a packet names its layer, or that of what it repeats.
    """

    source: Source
    form: Format
    mid: str
    mid_extension: int
    ssrcs: dict[int, bool]
    rids: tuple[str, ...] = ()
    rid_extension: int = 0
    repaired_extension: int = 0

    @property
    def layers(self) -> int:
        return len(self.rids) or 1

    def layer_of(self, view: memoryview, base: int, length: int, repair: bool) -> int | None:
        """Which layer a packet of this line belongs to; None if it names none that was agreed on."""
        if not self.rids:
            return 0
        name = extension_text(view, base, length, self.repaired_extension if repair else self.rid_extension)
        return self.rids.index(name) if name in self.rids else None


@dataclass(frozen=True, slots=True)
class ReceiveLine:
    """An m-line on which the peer receives; ``number`` of its slot."""

    number: int
    form: SlotFormat


@dataclass(frozen=True, slots=True)
class Plan:
    """What is made of an offer.

    Attributes:
        inactive: m-lines that are kept and idle (a screen that is not shared now).
        connection: the transport that all used lines share.
        refused: m-lines that were offered and are answered with port 0.
        unusable: what the peer cannot send or take because of that.
    """

    send: dict[Source, SendLine]
    receive: dict[str, ReceiveLine]
    inactive: list[str]
    connection: Connection
    refused: list[RefusedLine]
    unusable: list[Unusable]

    def answered(self, sdp: str, version: int, slots: list[SlotView]) -> Answered:
        """The reply to the offer."""
        return Answered(sdp=sdp, version=version, slots=slots, refused=self.refused, unusable=self.unusable)


def plan(offer: Offer, lines: list[Line]) -> Plan:
    """Check the lines against the offer, and use what can be used.

    Raises:
        OfferError: a line that is not in the offer or used twice, of the wrong kind or direction; or nothing to use.
    """
    uses = _uses(offer, lines)
    reasons = {index: _reason(line, uses) for index, line in enumerate(offer.media)}
    usable = {line.mid for index, line in enumerate(offer.media) if reasons[index] is None}
    if not usable:
        raise OfferError(_common(reasons))
    connection = connect(offer, usable)
    made = Plan({}, {}, [], connection, [], [])
    for index, media in enumerate(offer.media):
        # The relay mixes nothing and learns nothing from levels: what is not needed is not received.
        media.extensions.pop(AUDIO_LEVEL, None)
        reason = reasons[index]
        if reason is None and media.mid not in connection.mids:
            reason = "bundle"
        if reason is None:
            _use(media, uses[media.mid], made)
        elif reason != "stopped" or (media.mid in uses and offer.line(media.mid) is media):
            made.refused.append(RefusedLine(line=index, mid=media.mid or None, reason=reason))
            _lack(media, uses.get(media.mid), made.unusable)
    return made


def _lack(media: MediaLine, line: Line | None, unusable: list[Unusable]) -> None:
    if line is None:
        return
    lacks: Unusable = "hearing" if media.kind == "audio" else "seeing"
    if line.use != "slot" and line.use != "stage":
        lacks = line.use
    if lacks not in unusable:
        unusable.append(lacks)


def _uses(offer: Offer, lines: list[Line]) -> dict[str, Line]:
    uses: dict[str, Line] = {}
    for line in lines:
        if not line.mid or offer.line(line.mid) is None:
            raise OfferError("line_unknown")
        if line.mid in uses:
            raise OfferError("line_twice")
        uses[line.mid] = line
    return uses


def _reason(line: MediaLine, uses: dict[str, Line]) -> LineReason | None:
    if line.rejected:
        return "stopped"
    if not line.mid:
        return "mid"
    return refusal(line) or (None if line.mid in uses else "unused")


def _common(reasons: dict[int, LineReason | None]) -> Reason:
    found = {reason for reason in reasons.values() if reason is not None}
    return next(iter(found - {"stopped"} or found)) if len(found - {"stopped"}) < 2 else "nothing_usable"


def _use(media: MediaLine, line: Line, made: Plan) -> None:
    agreement = agree(media)
    assert agreement is not None
    if media.direction == "inactive":
        made.inactive.append(media.mid)
    elif line.use == "slot" or line.use == "stage":
        made.receive[media.mid] = _receive_line(media, agreement, line, made)
    else:
        made.send[line.use] = _send_line(media, agreement, line.use, made)


def _send_line(media: MediaLine, agreement: Agreement, source: Source, made: Plan) -> SendLine:
    if media.kind != _KINDS[source]:
        raise OfferError("line_kind")
    if media.direction not in ("sendonly", "sendrecv"):
        raise OfferError("line_direction")
    if source in made.send:
        raise OfferError("source_twice")
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
        rids=encodings(media) if source == "camera" else (),
        rid_extension=agreement.extensions.get(RID, 0),
        repaired_extension=agreement.extensions.get(REPAIRED_RID, 0),
    )


def _receive_line(media: MediaLine, agreement: Agreement, line: Line, made: Plan) -> ReceiveLine:
    number = STAGE if line.use == "stage" else line.slot
    if number is None or not STAGE <= number <= _MAX_SLOT or (number == STAGE) != (line.use == "stage"):
        raise OfferError("slot_number")
    if media.direction not in ("recvonly", "sendrecv"):
        raise OfferError("line_direction")
    if any(other.number == number and other.form.kind == media.kind for other in made.receive.values()):
        raise OfferError("slot_twice")
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
