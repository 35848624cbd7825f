"""The SDP that people offer, and that they answer Janus' offers with."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bench.load.streams import Extensions, Layer

MID_URI = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID_URI = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
SEND_TIME_URI = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
SEQUENCE_URI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

CODECS = {"audio": (111, "opus/48000/2"), "video": (96, "VP8/90000")}


@dataclass(frozen=True)
class MediaLine:
    """``direction`` as in SDP; ``layers``: of a camera that is sent by simulcast, lowest first."""

    mid: str
    kind: str
    direction: str
    layers: tuple[Layer, ...] = ()


def one_way(slots: int, layers: tuple[Layer, ...] = ()) -> list[MediaLine]:
    """As our clients offer: microphone and camera, then pairs of what is received."""
    sent = [MediaLine("0", "audio", "sendonly"), MediaLine("1", "video", "sendonly", layers)]
    pairs = range(2, 2 * slots + 2, 2)
    pair = (("audio", 0), ("video", 1))
    return [*sent, *(MediaLine(str(mid + more), kind, "recvonly") for mid in pairs for kind, more in pair)]


BOTH_WAYS = [MediaLine("0", "audio", "sendrecv"), MediaLine("1", "video", "sendrecv")]


@dataclass(frozen=True)
class Self:
    """Who describes: what stands in each of its lines."""

    ufrag: str
    password: str
    fingerprint: str
    host: str
    port: int
    ssrcs: dict[str, int]


def describe(who: Self, lines: Sequence[MediaLine], session: int, types: dict[str, int] | None = None) -> str:
    """SDP of these lines; ``types``: payload types that somebody else chose, by kind."""
    text = ["v=0", f"o=- {session} 1 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    text.append("a=group:BUNDLE " + " ".join(line.mid for line in lines))
    for line in lines:
        text += _line(who, line, (types or {}).get(line.kind, CODECS[line.kind][0]))
    return "\r\n".join(text) + "\r\n"


def _line(who: Self, line: MediaLine, payload_type: int) -> list[str]:
    text = [
        f"m={line.kind} 9 UDP/TLS/RTP/SAVPF {payload_type}",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{line.mid}",
        f"a=ice-ufrag:{who.ufrag}",
        f"a=ice-pwd:{who.password}",
        f"a=fingerprint:sha-256 {who.fingerprint}",
        "a=setup:active",
        f"a={line.direction}",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        f"a=rtpmap:{payload_type} {CODECS[line.kind][1]}",
        f"a=rtcp-fb:{payload_type} transport-cc",
        f"a=extmap:1 {MID_URI}",
        f"a=extmap:2 {SEND_TIME_URI}",
        f"a=extmap:3 {SEQUENCE_URI}",
    ]
    if line.kind == "audio":
        text += [f"a=fmtp:{payload_type} minptime=10;useinbandfec=1", f"a=extmap:4 {LEVEL_URI}"]
    else:
        text += [f"a=rtcp-fb:{payload_type} {feedback}" for feedback in ("goog-remb", "ccm fir", "nack", "nack pli")]
    if line.direction != "recvonly":
        text.append(f"a=msid:- {line.kind}{who.ufrag}")
        # A browser that sends by simulcast names no SSRCs.
        text += _simulcast(line.layers) if line.layers else [f"a=ssrc:{who.ssrcs[line.kind]} cname:{who.ufrag}"]
    return [*text, f"a=candidate:1 1 udp 2130706431 {who.host} {who.port} typ host", "a=end-of-candidates"]


def _simulcast(layers: tuple[Layer, ...]) -> list[str]:
    sent = [f"a=rid:{layer.rid} send" for layer in layers]
    return [f"a=extmap:5 {RID_URI}", *sent, "a=simulcast:send " + ";".join(layer.rid for layer in layers)]


def received(offer: str) -> tuple[list[MediaLine], dict[str, int]]:
    """The lines that somebody offers to send, as they are answered, and the payload types."""
    lines, types = [], {}
    for part in offer.split("\r\nm=")[1:]:
        kind = part.split(" ", 1)[0]
        mid = re.findall(r"^a=mid:(\S+)", part, re.MULTILINE)[0]
        name = CODECS[kind][1].split("/")[0]
        types[kind] = int(re.findall(rf"^a=rtpmap:(\d+) {name}/", part, re.MULTILINE | re.IGNORECASE)[0])
        lines.append(MediaLine(mid, kind, "recvonly"))
    return lines, types


def extensions(answer: str, mid: str) -> Extensions:
    """What was agreed on for a line."""
    section = next(part for part in answer.split("\r\nm=") if f"\r\na=mid:{mid}\r\n" in part)
    found = {uri: int(number) for number, uri in re.findall(r"^a=extmap:(\d+)\S* (\S+)", section, re.MULTILINE)}
    return Extensions(
        send_time=found.get(SEND_TIME_URI, 0),
        transport_sequence=found.get(SEQUENCE_URI, 0),
        audio_level=found.get(LEVEL_URI, 0),
        mid=found.get(MID_URI, 0),
        rid=found.get(RID_URI, 0),
    )
