"""Sound that a codec takes for somebody speaking: Opus writes its error correction for speech alone, not for beeps."""

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 48_000
Sound = NDArray[np.float64]
_SECONDS = 12
_SYLLABLE = 0.22
_VOWELS = ((730, 1_090, 2_440), (270, 2_290, 3_010), (300, 870, 2_240), (530, 1_840, 2_480), (570, 840, 2_410))
"""Formants in Hz (Peterson and Barney, 1952)."""

_WIDTHS = (80, 100, 140)


def write_speech(path: Path) -> None:
    """A mono WAV of syllables with pitch, formants, hisses before them and a pause after each phrase."""
    dice = np.random.default_rng(7)
    samples = np.concatenate([_syllable(number, dice) for number in range(int(_SECONDS / _SYLLABLE))])
    samples = samples / np.abs(samples).max() * 0.5
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples * 32_767).astype("<i2").tobytes())


def _syllable(number: int, dice: np.random.Generator) -> Sound:
    count = int(RATE * _SYLLABLE)
    if number % 9 == 8:
        return dice.normal(0, 1e-4, count)
    time = np.arange(count) / RATE
    pitch = 115 + 25 * np.sin(2 * np.pi * (number / 9 + time / 2))
    phase = np.cumsum(pitch) / RATE
    source = np.where(np.diff(np.floor(phase), prepend=0) > 0, 1.0, 0.0) + dice.normal(0, 0.01, count)
    formants = zip(_VOWELS[number % 5], _WIDTHS, strict=True)
    voice = np.sum([_resonance(source, formant, width) for formant, width in formants], axis=0)
    envelope = np.clip(np.minimum(time / 0.03, (_SYLLABLE - time) / 0.05), 0, 1)
    hiss = np.diff(dice.normal(0, 0.05, count), prepend=0) * np.clip(1 - time / 0.06, 0, 1)
    spoken: Sound = voice * envelope / np.abs(voice).max() + hiss
    return spoken


def _resonance(source: Sound, frequency: float, width: float) -> Sound:
    """The source through a formant, by its impulse response of 40 ms."""
    time = np.arange(int(0.04 * RATE)) / RATE
    response = np.exp(-np.pi * width * time) * np.sin(2 * np.pi * frequency * time)
    heard: Sound = np.convolve(source, response)[: len(source)]
    return heard
