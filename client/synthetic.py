"""What a participant without devices shows and says, and how another one recognises it."""

import asyncio
import math
from array import array
from collections.abc import Iterable
from fractions import Fraction

from aiortc import MediaStreamTrack
from av import AudioFrame, VideoFrame

RATE = 48_000
SAMPLES = 960
_VIDEO_CLOCK = 90_000
_SILENCE = 200


class Tone(MediaStreamTrack):
    """A sine of ``frequency`` Hz, mono, in frames of 20 ms."""

    kind = "audio"

    def __init__(self, frequency: float = 440.0) -> None:
        super().__init__()
        self.frequency = frequency
        self._samples = 0
        self._start: float | None = None

    async def recv(self) -> AudioFrame:
        loop = asyncio.get_running_loop()
        self._start = self._start or loop.time()
        await asyncio.sleep(self._start + self._samples / RATE - loop.time())
        step = 2 * math.pi * self.frequency / RATE
        samples = array("h", (int(8_000 * math.sin(step * (self._samples + i))) for i in range(SAMPLES)))
        frame = AudioFrame(format="s16", layout="mono", samples=SAMPLES)
        plane = frame.planes[0]
        plane.update(samples.tobytes().ljust(plane.buffer_size, b"\0"))
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._samples, Fraction(1, RATE)
        self._samples += SAMPLES
        return frame


class Pattern(MediaStreamTrack):
    """Grey of ``level`` (0 to 255) with a bright bar that moves, so that each frame differs from the one before."""

    kind = "video"

    def __init__(self, level: int = 128, width: int = 320, height: int = 240, rate: int = 15) -> None:
        super().__init__()
        self.level = level
        self.width, self.height, self.rate = width, height, rate
        self._frames = 0
        self._start: float | None = None

    async def recv(self) -> VideoFrame:
        loop = asyncio.get_running_loop()
        self._start = self._start or loop.time()
        await asyncio.sleep(self._start + self._frames / self.rate - loop.time())
        frame = VideoFrame(self.width, self.height, "yuv420p")
        luma, *chroma = frame.planes
        row, line = self._frames * 4 % (self.height // 8), luma.line_size
        picture = bytearray([self.level]) * luma.buffer_size
        picture[row * line : (row + 4) * line] = bytes([255 - self.level]) * (4 * line)
        luma.update(bytes(picture))
        for plane in chroma:
            plane.update(bytes([128]) * plane.buffer_size)
        frame.pts, frame.time_base = self._frames * _VIDEO_CLOCK // self.rate, Fraction(1, _VIDEO_CLOCK)
        self._frames += 1
        return frame


def grey_level(frame: VideoFrame) -> float:
    """Mean luma of the lower half of a picture, where no bar moves."""
    luma = frame.planes[0]
    data, line = bytes(luma), luma.line_size
    rows = range(frame.height // 2, frame.height)
    return sum(sum(data[row * line : row * line + frame.width]) for row in rows) / (len(rows) * frame.width)


def frequency(frames: Iterable[AudioFrame]) -> float:
    """Of a tone in Hz, from its rising zero crossings; 0 if it is silent."""
    samples = array("h")
    for frame in frames:
        channels = len(frame.layout.channels)
        samples += array("h", bytes(frame.planes[0])[: frame.samples * channels * 2])[::channels]
    if not samples or max(samples) < _SILENCE:
        return 0.0
    rising = [i for i in range(1, len(samples)) if samples[i - 1] < 0 <= samples[i]]
    return (len(rising) - 1) * RATE / (rising[-1] - rising[0]) if len(rising) > 1 else 0.0
