"""A stack on GStreamer's webrtcbin, run by Debian's own Python: JSON lines as in participant.py.

Sealed frames are put into RTP here: rtpvp8pay reads behind the clear bytes, and stops at an encrypted frame.
"""

import base64
import json
import struct
import sys
import threading
from typing import Any

import gi

for name in ("Gst", "GstApp", "GstSdp", "GstWebRTC"):
    gi.require_version(name, "1.0")
from cryptography.exceptions import InvalidTag  # noqa: E402 -- versions are chosen first
from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: E402
from cryptography.hazmat.primitives.hashes import SHA256  # noqa: E402
from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: E402
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

MICROPHONE, CAMERA = 0, 1
TYPES = {MICROPHONE: 111, CAMERA: 96}
CLOCKS = {MICROPHONE: 48_000, CAMERA: 90_000}
CAPS = {
    MICROPHONE: "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,encoding-params=2",
    CAMERA: "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000",
}
END = b"\x53\x4b"
TAG = 16
MOST = 1_000


# --- frames, as docs/protocol.md has them ----------------------------------------------------------------------------


def prefixed(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value


class FrameKey:
    def __init__(self, version: str, epoch: int, index: int, secret: str, label: int) -> None:
        self.kid, self.counter, self.label = epoch % 65_536 * 256 + index * 8 + label, 0, label
        info = prefixed(f"{version} key".encode()) + prefixed(self.kid.to_bytes(4, "big"))
        derived = HKDF(SHA256(), 44, b"", info).derive(bytes.fromhex(secret))
        self.aead, self.salt = AESGCM(derived[:32]), int.from_bytes(derived[32:], "big")

    def nonce(self, counter: int) -> bytes:
        return (self.salt ^ counter).to_bytes(12, "big")

    def seal(self, frame: bytes) -> bytes:
        clear = frame[: clear_bytes(frame, self.label)]
        kid, counter = shortest(self.kid), shortest(self.counter)
        header = kid + counter + bytes([(len(kid) - 1) * 16 + len(counter) - 1])
        sealed = self.aead.encrypt(self.nonce(self.counter), frame[len(clear) :], clear + header)
        self.counter += 1
        return clear + sealed + header + END


def shortest(value: int) -> bytes:
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")


def clear_bytes(frame: bytes, label: int) -> int:
    return min(len(frame), 1 if frame[0] & 1 else 10) if label == CAMERA and frame else 0


def opened(keys: dict[int, FrameKey], frame: bytes, label: int) -> bytes:
    """The plaintext; raises ValueError for what does not open."""
    if len(frame) < 5 + TAG or frame[-2:] != END:
        raise ValueError
    sizes = (frame[-3] >> 4) + 1, (frame[-3] & 15) + 1
    start = len(frame) - 3 - sum(sizes)
    key = keys.get(int.from_bytes(frame[start : start + sizes[0]], "big"))
    if start < TAG or key is None or key.label != label:
        raise ValueError
    clear = frame[: min(clear_bytes(frame[:start], label), start - TAG)]
    counter = int.from_bytes(frame[start + sizes[0] : -3], "big")
    try:
        return clear + key.aead.decrypt(key.nonce(counter), frame[len(clear) : start], clear + frame[start:-2])
    except InvalidTag:
        raise ValueError from None


# --- the connection --------------------------------------------------------------------------------------------------

speaking = threading.Lock()


def say(**message: object) -> None:
    with speaking:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


class Stack:
    def __init__(self) -> None:
        self.pipeline = Gst.Pipeline.new("stack")
        self.rtc = Gst.ElementFactory.make("webrtcbin", "rtc")
        self.rtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.pipeline.add(self.rtc)
        self.sources: dict[int, Any] = {}
        self.frames: dict[int, list[bytes]] = {}
        self.remotes: dict[int, FrameKey] = {}
        self.sequences = {MICROPHONE: 1_000, CAMERA: 2_000}
        self.version, self.rate, self.playing, self.muted = "", 0, False, False
        self.rtc.connect("pad-added", self.arrived)
        self.rtc.connect("notify::connection-state", self.changed)

    def connect(self, message: dict[str, Any]) -> None:
        self.version, self.rate = message["version"], message["rate"]
        self.frames = {
            label: [base64.b64decode(frame) for frame in message[kind]]
            for label, kind in ((MICROPHONE, "audio"), (CAMERA, "video"))
        }
        for label, caps in CAPS.items():
            source = Gst.ElementFactory.make("appsrc", f"source{label}")
            for key, value in (("is-live", True), ("do-timestamp", True), ("format", Gst.Format.TIME)):
                source.set_property(key, value)
            source.set_property("caps", Gst.Caps.from_string(f"{caps},ssrc=(uint){1111 * (label + 1)}"))
            self.pipeline.add(source)
            pad = self.rtc.request_pad_simple(f"sink_{label}")
            source.get_static_pad("src").link(pad)
            pad.get_property("transceiver").set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
            self.sources[label] = source
        for label in (MICROPHONE, CAMERA, CAMERA):
            only = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
            self.rtc.emit("add-transceiver", only, Gst.Caps.from_string(CAPS[label]))
        self.negotiation = self.rtc.connect("on-negotiation-needed", self.offer)
        self.pipeline.set_state(Gst.State.PLAYING)

    def offer(self, _element: Any) -> None:
        """Once: after an answer with a line refused, 1.22 cannot make another offer."""
        self.rtc.disconnect(self.negotiation)
        self.rtc.emit("create-offer", None, Gst.Promise.new_with_change_func(self.offered))

    def offered(self, promise: Any) -> None:
        reply = promise.get_reply()  # the offer lives as long as this does
        offer = reply.get_value("offer")
        self.rtc.emit("set-local-description", offer, Gst.Promise.new())
        say(offer=offer.sdp.as_text())

    def answer(self, text: str) -> None:
        _, description = GstSdp.SDPMessage.new()
        GstSdp.sdp_message_parse_buffer(text.encode(), description)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, description)
        self.rtc.emit("set-remote-description", answer, Gst.Promise.new())

    def changed(self, *_: object) -> None:
        say(state=self.rtc.get_property("connection-state").value_nick)

    def arrived(self, _element: Any, pad: Any) -> None:
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        label = MICROPHONE if pad.get_current_caps().get_structure(0).get_string("media") == "audio" else CAMERA
        take_apart = Gst.ElementFactory.make("rtpopusdepay" if label == MICROPHONE else "rtpvp8depay")
        sink = Gst.ElementFactory.make("appsink")
        for key, value in (("emit-signals", True), ("sync", False)):
            sink.set_property(key, value)
        sink.connect("new-sample", self.received, label)
        for element in (take_apart, sink):
            self.pipeline.add(element)
            element.sync_state_with_parent()
        take_apart.link(sink)
        pad.link(take_apart.get_static_pad("sink"))

    def received(self, sink: Any, label: int) -> Any:
        buffer = sink.emit("pull-sample").get_buffer()
        frame, kind = buffer.extract_dup(0, buffer.get_size()), ("audio", "video")[label]
        if self.remotes:
            try:
                say(opened=kind, frame=base64.b64encode(opened(self.remotes, frame, label)).decode())
            except ValueError:
                say(refused=kind)
        return Gst.FlowReturn.OK

    def key(self, own: bool, message: dict[str, Any]) -> None:
        for label in CAPS:
            key = FrameKey(self.version, message["epoch"], message["index"], message["secret"], label)
            if not own:
                self.remotes[key.kid] = key
            elif not self.playing:
                GLib.timeout_add(20 if label == MICROPHONE else 1_000 // self.rate, self.play, label, key, [0])
        self.playing = self.playing or own

    def play(self, label: int, key: FrameKey, count: list[int]) -> bool:
        if (
            not self.muted
            and self.rtc.get_property("connection-state") == GstWebRTC.WebRTCPeerConnectionState.CONNECTED
        ):
            frame = key.seal(self.frames[label][count[0] % len(self.frames[label])])
            every = CLOCKS[label] // (50 if label == MICROPHONE else self.rate)
            self.send(label, frame, count[0] * every)
            count[0] += 1
        return True

    def send(self, label: int, frame: bytes, timestamp: int) -> None:
        parts = [frame[at : at + MOST] for at in range(0, len(frame), MOST)]
        for index, part in enumerate(parts):
            marker = 0x80 if label == CAMERA and index == len(parts) - 1 else 0
            head = struct.pack(
                "!BBHII", 0x80, marker | TYPES[label], self.sequences[label] & 0xFFFF, timestamp, 1111 * (label + 1)
            )
            self.sequences[label] += 1
            descriptor = bytes([0 if index else 0x10]) if label == CAMERA else b""
            self.sources[label].emit("push-buffer", Gst.Buffer.new_wrapped(head + descriptor + part))


def main() -> None:
    Gst.init(None)
    stack, loop = Stack(), GLib.MainLoop()
    say(version=Gst.version_string().split()[-1])

    def take(message: dict[str, Any]) -> None:
        if "connect" in message:
            stack.connect(message["connect"])
        elif "mute" in message:
            stack.muted = message["mute"]
        elif "answer" in message:
            stack.answer(message["answer"])
        elif "own" in message:
            stack.key(True, message["own"])
        elif "remote" in message:
            stack.key(False, message["remote"])

    def read() -> None:
        for line in sys.stdin:
            GLib.idle_add(take, json.loads(line))
        loop.quit()

    threading.Thread(target=read, daemon=True).start()
    loop.run()


main()
