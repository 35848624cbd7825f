"""What a synthetic participant shows and says, and how another one recognises it."""

import asyncio
from fractions import Fraction

import numpy as np
from aiortc import MediaStreamTrack
from av import AudioFrame, VideoFrame

RATE = 48_000
SAMPLES = 960
_VIDEO_CLOCK = 90_000


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
        phase = 2 * np.pi * self.frequency * (np.arange(SAMPLES) + self._samples) / RATE
        samples = (8_000 * np.sin(phase)).astype(np.int16)
        frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
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
        picture = np.full((self.height * 3 // 2, self.width), 128, dtype=np.uint8)
        picture[: self.height] = self.level
        row = self._frames * 4 % (self.height // 8)
        picture[row : row + 4] = 255 - self.level
        frame = VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts, frame.time_base = self._frames * _VIDEO_CLOCK // self.rate, Fraction(1, _VIDEO_CLOCK)
        self._frames += 1
        return frame


def grey_level(frame: VideoFrame) -> float:
    """Mean luma of the lower half of a picture, where no bar moves."""
    luma = frame.to_ndarray(format="yuv420p")[: frame.height]
    return float(luma[frame.height // 2 :].mean())


def frequency(frames: list[AudioFrame]) -> float:
    """The strongest frequency in Hz; 0 if it is silent."""
    channels = [frame.to_ndarray().reshape(-1, len(frame.layout.channels))[:, 0] for frame in frames]
    samples = np.concatenate(channels).astype(float)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    strongest = int(spectrum[1:].argmax()) + 1
    return strongest * RATE / len(samples) if spectrum[strongest] > 1_000 else 0.0
