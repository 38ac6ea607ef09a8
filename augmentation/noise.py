"""Noise: coloured, or a piece of a recording."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

FLOOR_HZ = 50.0
"""Below, coloured noise is flat."""


def coloured(size: int, rate: int, slope_db: float, rng: np.random.Generator) -> Array:
    """Noise whose spectrum slopes by so many dB per octave above `FLOOR_HZ`."""
    spectrum = np.fft.rfft(rng.standard_normal(size))
    octaves = np.log2(np.maximum(np.fft.rfftfreq(size, 1 / rate), FLOOR_HZ) / FLOOR_HZ)
    noise: Array = np.fft.irfft(spectrum * 10 ** (slope_db * octaves / 20), size)
    return noise


def piece(recording: npt.NDArray[np.floating], size: int, rng: np.random.Generator) -> Array:
    """A piece of a recording from a place that is drawn; a shorter one starts again at its end."""
    start = int(rng.integers(max(len(recording) - size, 0) + 1))
    return np.resize(recording[start:], size).astype(np.float64)


def add(wave: Array, noise: Array, level_db: float) -> Array:
    """A wave with noise of an RMS level in dB of full scale; noise without a sound changes nothing."""
    rms = float(np.sqrt((noise**2).mean()))
    return wave if rms == 0 else wave + noise * 10 ** (level_db / 20) / rms
