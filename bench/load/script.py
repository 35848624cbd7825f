"""Real VP8 and Opus frames, for a relay that decodes them."""

from fractions import Fraction

import av
import numpy as np

_FRAMES = 60
_BITRATE = 1_400_000
_PACKET = 1_100


def video(packets: tuple[int, ...]) -> list[list[bytes]]:
    """Two seconds of 640 by 480 at 30 a second, the first a key frame, each cut into so many parts in turn."""
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt, codec.bit_rate = 640, 480, "yuv420p", _BITRATE
    codec.time_base = Fraction(1, 30)
    codec.options = {
        "deadline": "realtime",
        "cpu-used": "-6",
        "lag-in-frames": "0",
        "maxrate": str(_BITRATE),
        "minrate": str(_BITRATE),
    }
    noise = np.random.default_rng(1)
    frames = []
    for number in range(_FRAMES):
        picture = np.full((720, 640), 128, dtype=np.uint8)
        picture[:480] = np.roll(np.arange(640, dtype=np.uint16) % 256, number * 5).astype(np.uint8)
        picture[100:300, 100:400] = noise.integers(100, 156, (200, 300), dtype=np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts = number
        frames.append(b"".join(bytes(packet) for packet in codec.encode(frame)))
    return [_cut(frame, packets[number % len(packets)]) for number, frame in enumerate(frames)]


def pictures(width: int, height: int, bitrate: int, rate: int) -> list[bytes]:
    """Two seconds of a grey that moves; the first frame is a key frame, which the last one is followed by again."""
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt, codec.bit_rate = width, height, "yuv420p", bitrate
    codec.time_base = Fraction(1, rate)
    codec.options = {"deadline": "realtime", "cpu-used": "-6", "lag-in-frames": "0", "g": str(10 * rate)}
    frames = []
    for number in range(2 * rate):
        picture = np.full((height * 3 // 2, width), 128, dtype=np.uint8)
        picture[:height] = np.roll(np.arange(width, dtype=np.uint16) % 256, number * 3).astype(np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts = number
        frames.append(b"".join(bytes(packet) for packet in codec.encode(frame)))
    return frames


def _cut(frame: bytes, parts: int) -> list[bytes]:
    size = min(_PACKET, -(-len(frame) // parts))
    return [frame[at : at + size] for at in range(0, len(frame), size)]


def audio() -> list[list[bytes]]:
    """One second of a tone in frames of 20 ms."""
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.bit_rate, codec.format, codec.layout = 48_000, 32_000, "s16", "stereo"
    codec.time_base = Fraction(1, 48_000)
    packets = []
    for number in range(55):
        phase = 2 * np.pi * 440 * (np.arange(960) + number * 960) / 48_000
        samples = np.repeat((8_000 * np.sin(phase)).astype(np.int16), 2)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate, frame.pts = 48_000, number * 960
        packets += [[bytes(packet)] for packet in codec.encode(frame)]
    return packets[:50]
