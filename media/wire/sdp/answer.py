"""ICE-lite answers: one transport, VP8 and Opus, and of the header extensions those that the relay writes or reads."""

import re
from collections.abc import Iterator
from ipaddress import ip_address

from media.refusals import LineReason
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
    Direction,
    MediaLine,
    Offer,
    Outgoing,
)

_CODECS = {"audio": ("opus", 48_000), "video": ("vp8", 90_000)}
_PROFILES = frozenset(
    f"{transport}RTP/{profile}" for transport in ("UDP/TLS/", "TCP/DTLS/", "") for profile in ("SAVP", "SAVPF")
)
_PROFILES |= {"RTP/AVP", "RTP/AVPF"}
"""All of RFC 8829, 5.1.2: whatever the name says, it is DTLS-SRTP with the feedback that ``rtcp-fb`` names."""

_FEEDBACK = {"audio": ("transport-cc", "nack"), "video": ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli")}
_SENT = {"audio": (MID, AUDIO_LEVEL, ABS_SEND_TIME), "video": (MID, ABS_SEND_TIME)}
_ENCODING_NAMES = (RID, REPAIRED_RID)
_RECEIVED = {kind: (*uris, TRANSPORT_SEQUENCE) for kind, uris in _SENT.items()}
_ALLOWED: dict[Direction, tuple[Direction, ...]] = {
    "sendrecv": ("sendonly", "recvonly"),
    "sendonly": ("recvonly",),
    "recvonly": ("sendonly",),
    "inactive": (),
}
_OPUS_NUMBERS = ("minptime", "cbr")
"""Not ``usedtx``: with it packets stop while somebody is silent, and whoever sees them go by sees who speaks when."""

_SMALL_NUMBER = re.compile(r"[0-9]{1,3}")


def agree(line: MediaLine) -> Agreement | None:
    """What the m-line is answered with, or None if the relay cannot carry it.

    Transport-wide congestion control is agreed on only where the offerer sends: it makes the sender of the
    other direction, the relay, number its packets, and the relay uses the receivers' REMB instead. It takes both
    the number in packets and the feedback about it.
    """
    codec = None if line.rejected else _codec_of(line)
    if codec is None or line.protocol not in _PROFILES:
        return None
    receives = line.direction in ("sendonly", "sendrecv")
    feedback = [value for value in _FEEDBACK[line.kind] if value in codec.feedback]
    numbered = receives and TRANSPORT_SEQUENCE in line.extensions and "transport-cc" in feedback
    extensions = (_RECEIVED if numbered else _SENT)[line.kind]
    if encodings(line):
        extensions += _ENCODING_NAMES
    return Agreement(
        codec=codec,
        rtx_payload_type=next((other.payload_type for other in line.payloads if _repairs(other, codec)), None),
        extensions={uri: line.extensions[uri] for uri in extensions if uri in line.extensions},
        feedback=feedback if numbered else [value for value in feedback if value != "transport-cc"],
    )


def encodings(line: MediaLine) -> tuple[str, ...]:
    """The encodings of a line that can be told apart: packets name theirs, and an RTX packet that of what it repeats.

    The frame's dependencies are never asked for (the AV1 extension): with them packets name no temporal layer any more.
    """
    sends = line.direction in ("sendonly", "sendrecv") and line.kind == "video"
    return line.rids if sends and len(line.rids) > 1 and RID in line.extensions else ()


def refusal(line: MediaLine) -> LineReason | None:
    """Why the relay cannot carry a line, None if it can."""
    if line.rejected:
        return "stopped"
    if line.kind not in _CODECS:
        return "kind"
    if line.protocol not in _PROFILES:
        return "profile"
    return "codec" if _codec_of(line) is None else None


def _codec_of(line: MediaLine) -> Codec | None:
    wanted = _CODECS.get(line.kind)
    return next((codec for codec in line.payloads if (codec.name, codec.clock_rate) == wanted), None)


def _repairs(rtx: Codec, codec: Codec) -> bool:
    return rtx.name == "rtx" and rtx.fmtp.get("apt") == str(codec.payload_type)


def build_answer(offer: Offer, params: AnswerParams) -> str:
    """The answer, with CRLF line ends.

    Lines that are not in ``params.lines`` or cannot be agreed on get port 0, which stops their transceivers in a
    browser for good: a line that is only idle is answered.
    """
    agreed = {
        line.mid: agreement
        for line in offer.media
        if line.mid in params.lines and (agreement := agree(line)) is not None
    }
    lines = [
        "v=0",
        f"o=- {params.session} {params.version} IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        *(["a=extmap-allow-mixed"] if offer.extmap_allow_mixed else []),
        *(["a=group:" + " ".join(["BUNDLE", *params.bundle])] if params.bundle is not None else []),
        "a=msid-semantic: WMS *",
    ]
    for line in offer.media:
        if line.mid in agreed and not line.rejected:
            lines += _accepted(line, agreed[line.mid], params)
        else:
            lines += _refused(line, params)
    return "\r\n".join(lines) + "\r\n"


def _refused(line: MediaLine, params: AnswerParams) -> Iterator[str]:
    """A line with port 0. Nothing of what follows is used, but without the transport's attributes webrtcbin refuses
    the whole answer, without rtcp-mux too aiortc, and werift without a codec that it knows.
    """
    yield f"m={line.kind} 0 {line.protocol} {line.formats[0]}"
    yield "c=IN IP4 0.0.0.0"
    if line.mid:
        yield f"a=mid:{line.mid}"
    yield "a=inactive"
    yield from _transport(params)
    yield "a=rtcp-mux"
    for codec in line.payloads:
        if str(codec.payload_type) == line.formats[0]:
            channels = f"/{codec.channels}" if codec.channels > 1 else ""
            yield f"a=rtpmap:{codec.payload_type} {codec.name}/{codec.clock_rate}{channels}"


def _transport(params: AnswerParams) -> Iterator[str]:
    yield f"a=ice-ufrag:{params.ice_ufrag}"
    yield f"a=ice-pwd:{params.ice_pwd}"
    for fingerprint in params.fingerprints:
        yield f"a=fingerprint:{fingerprint.algorithm} {fingerprint.value}"
    yield "a=setup:passive"


def _accepted(line: MediaLine, agreement: Agreement, params: AnswerParams) -> Iterator[str]:
    answer = params.lines[line.mid]
    codec, rtx = agreement.codec, agreement.rtx_payload_type
    formats = f"{codec.payload_type}" if rtx is None else f"{codec.payload_type} {rtx}"
    direction = _direction(line.direction, answer)
    yield f"m={line.kind} 9 {line.protocol} {formats}"
    yield "c=IN IP4 0.0.0.0"
    yield f"a=mid:{line.mid}"
    yield from _transport(params)
    yield f"a={direction}"
    yield "a=rtcp-mux"
    yield "a=rtcp-rsize"
    for uri, identifier in agreement.extensions.items():
        yield f"a=extmap:{identifier} {uri}"
    yield from _codec(line.kind, agreement)
    if answer.rids and direction == "recvonly":
        yield from (f"a=rid:{rid} recv" for rid in answer.rids)
        yield f"a=simulcast:recv {';'.join(answer.rids)}"
    if answer.outgoing is not None and direction == "sendonly":
        yield from _outgoing(answer.outgoing, rtx is not None)
    # They belong in the bundle's first line only (RFC 9143, 7.1.3), but aiortc reads those of its last.
    yield from _candidates(params.candidates)


def _direction(offered: Direction, answer: AnswerLine) -> Direction:
    return answer.direction if answer.direction in _ALLOWED[offered] else "inactive"


def _codec(kind: str, agreement: Agreement) -> Iterator[str]:
    codec = agreement.codec
    if kind == "audio":
        yield f"a=rtpmap:{codec.payload_type} opus/48000/2"
        numbers = {key: value for key in _OPUS_NUMBERS if _SMALL_NUMBER.fullmatch(value := codec.fmtp.get(key, ""))}
        parameters = ";".join(f"{key}={value}" for key, value in ({"useinbandfec": "1"} | numbers).items())
        yield f"a=fmtp:{codec.payload_type} {parameters}"
    else:
        yield f"a=rtpmap:{codec.payload_type} VP8/90000"
    for feedback in agreement.feedback:
        yield f"a=rtcp-fb:{codec.payload_type} {feedback}"
    if agreement.rtx_payload_type is not None:
        yield f"a=rtpmap:{agreement.rtx_payload_type} rtx/90000"
        yield f"a=fmtp:{agreement.rtx_payload_type} apt={codec.payload_type}"


def _outgoing(outgoing: Outgoing, rtx: bool) -> Iterator[str]:
    ssrcs = [outgoing.ssrc]
    yield f"a=msid:{outgoing.stream} {outgoing.track}"
    if rtx and outgoing.rtx_ssrc is not None:
        # Firefox drops repaired frames of an RTX SSRC that is not announced.
        ssrcs.append(outgoing.rtx_ssrc)
        yield f"a=ssrc-group:FID {outgoing.ssrc} {outgoing.rtx_ssrc}"
    for ssrc in ssrcs:
        yield f"a=ssrc:{ssrc} cname:{outgoing.cname}"
        yield f"a=ssrc:{ssrc} msid:{outgoing.stream} {outgoing.track}"


def _candidates(candidates: list[Candidate]) -> Iterator[str]:
    """Unique priorities in the given order (RFC 8445, 5.1.2), UDP before TCP whatever the order."""
    for index, candidate in enumerate(candidates):
        udp = candidate.transport == "udp"
        priority = ((126 if udp else 90) << 24) + ((65_535 - index) << 8) + 255
        address = ip_address(candidate.address)
        yield f"a=candidate:{index + 1} 1 {candidate.transport} {priority} {address} {candidate.port} typ host" + (
            "" if udp else " tcptype passive"
        )
    yield "a=end-of-candidates"
