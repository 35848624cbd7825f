"""What one person sends and receives, as bytes."""

import random
from collections import deque
from dataclasses import dataclass, field
from struct import Struct

AUDIO_RATE, VIDEO_RATE = 50, 170
AUDIO_BYTES, VIDEO_BYTES = 120, 1_100
FRAME_PACKETS = (6, 6, 5)
"""Packets of three frames: 30 frames a second are 170 packets."""


@dataclass(frozen=True)
class Layer:
    """One of the encodings of a camera in a group.

    Attributes:
        size: bytes of each packet's payload.
        packets: of the frames in turn.
    """

    rid: str
    size: int
    packets: tuple[int, ...]
    width: int
    height: int

    @property
    def rate(self) -> int:
        """Packets a second."""
        return 30 * sum(self.packets) // len(self.packets)


LAYERS = (
    Layer("q", 621, (1,), 320, 180),
    Layer("h", 1_041, (2,), 640, 360),
    Layer("f", 1_101, FRAME_PACKETS, 1_280, 720),
)
"""150, 500 and 1,500 kbit/s. No two kinds of packets have one size: that tells a reader where its stamp is."""

_TEMPORAL = (0, 2, 1, 2)
"""Temporal layers of frames in turn: L1T3, as Chromium sends simulcast."""

TRAILER = bytes.fromhex("0100000012534b")
"""How an end-to-end encrypted frame ends (docs/protocol.md)."""

_STAMP = Struct("!QI")
_HEADER = Struct("!BBHII")
_CLEAR = 10
_KEY_FRAME = 0x10
_KEY_FRAME_HEAD = Struct("<3sHH")
_STAMPED = {AUDIO_BYTES: _CLEAR, VIDEO_BYTES: 4 + _CLEAR} | {layer.size: 6 + _CLEAR for layer in LAYERS}
"""Size of a payload, with the VP8 descriptor, to where its stamp is."""


@dataclass
class Extensions:
    """Ids that were negotiated, 0 for none."""

    send_time: int = 0
    transport_sequence: int = 0
    audio_level: int = 0
    mid: int = 0
    rid: int = 0


@dataclass
class Outgoing:
    """One stream that is sent. Packets are written into a buffer of the caller's.

    ``script``: frames as lists of parts, sent over and over; without one, frames that look encrypted and carry the
    time at which they were sent.
    """

    kind: str
    mid: str
    ssrc: int
    payload_type: int
    extensions: Extensions
    sequence: int = field(default_factory=lambda: random.randrange(1 << 15))
    timestamp: int = field(default_factory=lambda: random.randrange(1 << 32))
    counter: int = 0
    octets: int = 0
    wants_keyframe: bool = True
    script: list[list[bytes]] | None = None
    layer: Layer | None = None
    _frame: int = 0
    _packet: int = 0
    _part: bytes = b""

    def say(self, parts: list[bytes]) -> None:
        """The next frame, in packets: each `write` takes one of them."""
        self.script = [parts]

    @property
    def period_ns(self) -> int:
        rate = AUDIO_RATE if self.kind == "audio" else self.layer.rate if self.layer else VIDEO_RATE
        return 1_000_000_000 // rate

    def write(self, buffer: memoryview, now_ns: int, transport_sequence: int) -> int:
        """The next packet, with ``now_ns`` (wall clock) in its payload; returns its length."""
        marker, descriptor, frame_byte = self._next_in_frame()
        _HEADER.pack_into(
            buffer,
            0,
            0x90,
            marker << 7 | self.payload_type,
            self.sequence & 0xFFFF,
            self.timestamp & 0xFFFF_FFFF,
            self.ssrc,
        )
        at = self._write_extensions(buffer, now_ns, transport_sequence)
        buffer[at : at + len(descriptor)] = descriptor
        start = at + len(descriptor)
        if self.script is not None:
            end = start + len(self._part)
            buffer[start:end] = self._part
            self._count(end - at)
            return end
        size = AUDIO_BYTES if self.kind == "audio" else self.layer.size if self.layer else VIDEO_BYTES
        buffer[start] = frame_byte
        if self.layer and frame_byte == _KEY_FRAME:
            _KEY_FRAME_HEAD.pack_into(buffer, start + 3, b"\x9d\x01\x2a", self.layer.width, self.layer.height)
        _STAMP.pack_into(buffer, start + _CLEAR, now_ns, self.counter)
        end = at + size
        buffer[end - len(TRAILER) : end] = TRAILER
        self._count(size)
        return end

    def _count(self, size: int) -> None:
        self.sequence += 1
        self.counter += 1
        self.octets += size

    def _next_in_frame(self) -> tuple[int, bytes, int]:
        parts = self.script[self._frame % len(self.script)] if self.script else None
        if parts:
            self._part = parts[self._packet]
        if self.kind == "audio":
            self.timestamp += 960
            self._frame += 1
            return 0, b"", 0x78
        first = self._packet == 0
        if first:
            self.timestamp += 3_000
        frame_byte = 0x11
        if first and self.wants_keyframe:
            frame_byte, self.wants_keyframe = _KEY_FRAME, False
        packets = self.layer.packets if self.layer else FRAME_PACKETS
        descriptor = self._descriptor(first)
        self._packet += 1
        marker = int(self._packet == (len(parts) if parts else packets[self._frame % len(packets)]))
        if marker:
            self._packet, self._frame = 0, self._frame + 1
        return marker, descriptor, frame_byte

    def _descriptor(self, first: bool) -> bytes:
        """RFC 7741, 4.2: with a picture id; of a layer also with what tells its temporal layers apart."""
        picture, start = 0x8000 | self._frame & 0x7FFF, 0x90 if first else 0x80
        if self.layer is None:
            return bytes((start, 0x80, picture >> 8, picture & 0xFF))
        # Frames of a script were encoded in one temporal layer: to leave any out would break the rest.
        temporal = 0 if self.script else _TEMPORAL[self._frame % 4]
        base = (self._frame if self.script else self._frame // 4) & 0xFF
        return bytes((start, 0xE0, picture >> 8, picture & 0xFF, base, temporal << 6 | (temporal > 0) << 5))

    def _write_extensions(self, buffer: memoryview, now_ns: int, transport_sequence: int) -> int:
        """One-byte header extensions (RFC 8285, 4.2), padded to words; returns where the payload starts."""
        ids, at = self.extensions, 16
        if ids.transport_sequence:
            buffer[at : at + 3] = bytes(
                (ids.transport_sequence << 4 | 1, transport_sequence >> 8 & 0xFF, transport_sequence & 0xFF)
            )
            at += 3
        if ids.send_time:
            buffer[at] = ids.send_time << 4 | 2
            buffer[at + 1 : at + 4] = ((now_ns * 262_144 // 1_000_000_000) & 0xFFFFFF).to_bytes(3, "big")
            at += 4
        if ids.audio_level and self.kind == "audio":
            buffer[at : at + 2] = bytes((ids.audio_level << 4, 0x80 | 30))
            at += 2
        if ids.mid and self.counter < 100:
            mid = self.mid.encode()
            buffer[at : at + 1 + len(mid)] = bytes((ids.mid << 4 | len(mid) - 1,)) + mid
            at += 1 + len(mid)
        if ids.rid and self.layer and self.counter < 100:
            rid = self.layer.rid.encode()
            buffer[at : at + 1 + len(rid)] = bytes((ids.rid << 4 | len(rid) - 1,)) + rid
            at += 1 + len(rid)
        while at % 4:
            buffer[at] = 0
            at += 1
        buffer[12:16] = b"\xbe\xde" + ((at - 16) // 4).to_bytes(2, "big")
        return at


@dataclass
class Incoming:
    """One stream that is received; ``latencies``: nanoseconds from the sender's stamp to the arrival in our socket."""

    audio: bool = False
    first: int = -1
    last: int = -1
    received: int = 0
    highest_sequence: int = 0
    latencies: "deque[int]" = field(default_factory=deque)

    @property
    def lost(self) -> int:
        return max(0, self.last - self.first + 1 - self.received) if self.received else 0

    def extended(self, sequence: int) -> int:
        """A sequence number counted on from the last one (RFC 3550, A.1)."""
        return self.last + ((sequence - self.last + 0x8000) & 0xFFFF) - 0x8000 if self.received else sequence

    def take(self, counter: int, latency: int, sequence: int) -> None:
        if self.first < 0:
            self.first = counter
        self.last = max(self.last, counter)
        self.received += 1
        self.highest_sequence = sequence
        self.latencies.append(latency)


def read(packet: memoryview, length: int) -> tuple[int, int, int, int] | None:
    """SSRC, sequence number, stamp and counter of a packet that `Outgoing` wrote; None for any other."""
    start = 12
    if packet[0] & 0x10:
        start += 4 + 4 * int.from_bytes(packet[14:16], "big")
    size = length - start
    stamped = _STAMPED.get(size)
    if stamped is None:
        return None
    stamp, counter = _STAMP.unpack_from(packet, start + stamped)
    return int.from_bytes(packet[8:12], "big"), int.from_bytes(packet[2:4], "big"), stamp, counter
