"""Coloured noise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

FLOOR_HZ = 50.0
"""Below, the noise is flat."""


def coloured(size: int, rate: int, slope_db: float, rng: np.random.Generator) -> Array:
    """Noise whose spectrum slopes by so many dB per octave above `FLOOR_HZ`: 0 is white, -3 pink, -6 brown."""
    spectrum = np.fft.rfft(rng.standard_normal(size))
    octaves = np.log2(np.maximum(np.fft.rfftfreq(size, 1 / rate), FLOOR_HZ) / FLOOR_HZ)
    noise: Array = np.fft.irfft(spectrum * 10 ** (slope_db * octaves / 20), size)
    return noise
