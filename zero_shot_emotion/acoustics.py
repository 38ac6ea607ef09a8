"""What an utterance sounds like in a few numbers: level, pitch, rate, pauses, spectrum, voice quality.

Each is a quantity that phonetics knows, with its unit, from one pass over the wave; pitch, jitter, shimmer and
harmonicity are Praat's.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

FRAME_SECONDS = 0.02
ACTIVE_DB = 30.0
"""A frame speaks if it lies less than this below the loudest, in dB."""


def frame_powers(wave: npt.NDArray[np.floating], rate: int) -> Array:
    """Mean power of each frame of 20 ms."""
    size = int(rate * FRAME_SECONDS)
    frames = np.pad(wave, (0, -len(wave) % size)).reshape(-1, size)
    powers: Array = (frames.astype(np.float64) ** 2).mean(axis=1)
    return powers


def active_level(wave: npt.NDArray[np.floating], rate: int) -> float:
    """RMS of the frames that speak, in dB of full scale; minus infinity for silence."""
    powers = frame_powers(wave, rate)
    if not powers.max() > 0:
        return -np.inf
    return float(10 * np.log10(powers[powers > powers.max() * 10 ** (-ACTIVE_DB / 10)].mean()))
