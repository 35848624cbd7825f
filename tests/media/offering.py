"""What a scripted client offers, written as a browser writes it."""

import os
from dataclasses import dataclass, field
from typing import Literal

from media.control import Line, Use

ABS_SEND_TIME, TRANSPORT_SEQUENCE, MID, RID, REPAIRED_RID = 2, 3, 4, 10, 11
EXTENSIONS = {
    ABS_SEND_TIME: "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    TRANSPORT_SEQUENCE: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    MID: "urn:ietf:params:rtp-hdrext:sdes:mid",
}
LAYERS = {
    RID: "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    REPAIRED_RID: "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
}
RTX = 97


@dataclass(frozen=True)
class Offered:
    """A media section, and what the client says of it beside the SDP."""

    kind: Literal["audio", "video"]
    direction: Literal["sendonly", "recvonly"]
    line: Line


@dataclass(kw_only=True)
class Offering:
    """``announce``: SSRCs stand in the SDP, as Chromium and Firefox have it, and need no mid extension.

    ``rids``: the camera is sent in these layers; each has an SSRC of its own, which packets name.
    """

    slots: int = 1
    stage: bool = True
    screen: bool = False
    announce: bool = True
    rtx: bool = True
    transport_sequence: bool = True
    rids: tuple[str, ...] = ()
    opus: int = 111
    vp8: int = 96
    ufrag: str = "client"
    fingerprint: str = field(default_factory=lambda: ":".join(f"{byte:02X}" for byte in os.urandom(32)))
    ssrcs: dict[str, int] = field(default_factory=lambda: {"microphone": 100, "camera": 200, "screen": 300})

    def lines(self) -> list[Offered]:
        made: list[Offered] = []

        def add(kind: Literal["audio", "video"], use: Use, slot: int | None = None) -> None:
            direction: Literal["sendonly", "recvonly"] = "sendonly" if use in self.ssrcs else "recvonly"
            made.append(Offered(kind, direction, Line(mid=str(len(made)), use=use, slot=slot)))

        add("audio", "microphone")
        add("video", "camera")
        for slot in range(self.slots):
            add("audio", "slot", slot)
            add("video", "slot", slot)
        if self.stage:
            add("video", "stage")
        if self.screen:
            add("video", "screen")
        return made

    def layer_ssrc(self, rid: str) -> int:
        """The repairs of a layer have the next one."""
        return self.ssrcs["camera"] + 10 * self.rids.index(rid)

    def sdp(self) -> str:
        lines = self.lines()
        bundle = " ".join(offered.line.mid for offered in lines)
        text = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=group:BUNDLE {bundle}"]
        for offered in lines:
            text += self._section(offered)
        return "\r\n".join(text) + "\r\n"

    def _section(self, offered: Offered) -> list[str]:
        numbers = f"{self.opus}" if offered.kind == "audio" else f"{self.vp8} {RTX}"
        text = [f"m={offered.kind} 9 UDP/TLS/RTP/SAVPF {numbers}", "c=IN IP4 0.0.0.0"]
        text += [f"a=mid:{offered.line.mid}", f"a=ice-ufrag:{self.ufrag}", "a=ice-pwd:" + "p" * 24]
        text += [f"a={offered.direction}", f"a=fingerprint:sha-256 {self.fingerprint}", "a=setup:actpass", "a=rtcp-mux"]
        for number, uri in EXTENSIONS.items():
            if number != TRANSPORT_SEQUENCE or self.transport_sequence:
                text += [f"a=extmap:{number} {uri}"]
        text += self._audio() if offered.kind == "audio" else self._video()
        if offered.line.use == "camera" and self.rids:
            text += [f"a=extmap:{number} {uri}" for number, uri in LAYERS.items()]
            text += [f"a=rid:{rid} send" for rid in self.rids] + ["a=simulcast:send " + ";".join(self.rids)]
        elif offered.direction == "sendonly" and self.announce:
            ssrc = self.ssrcs[offered.line.use]
            text += [f"a=ssrc-group:FID {ssrc} {ssrc + 1}", f"a=ssrc:{ssrc} cname:c", f"a=ssrc:{ssrc + 1} cname:c"]
        return text

    def _audio(self) -> list[str]:
        return [f"a=rtpmap:{self.opus} opus/48000/2", f"a=rtcp-fb:{self.opus} transport-cc"]

    def _video(self) -> list[str]:
        text = [f"a=rtpmap:{self.vp8} VP8/90000"]
        text += [f"a=rtcp-fb:{self.vp8} {value}" for value in ("goog-remb", "transport-cc", "nack", "nack pli")]
        return text + ([f"a=rtpmap:{RTX} rtx/90000", f"a=fmtp:{RTX} apt={self.vp8}"] if self.rtx else [])
