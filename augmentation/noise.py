"""Noise under speech: its level, and pieces of recordings."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def piece(recording: npt.NDArray[np.floating], size: int, rng: np.random.Generator) -> Array:
    """A piece of a recording from a place that is drawn; a shorter one starts again at its end."""
    start = int(rng.integers(max(len(recording) - size, 0) + 1))
    return np.resize(recording[start:], size).astype(np.float64)


def add(wave: Array, noise: Array, level_db: float) -> Array:
    """A wave with noise of an RMS level in dB of full scale; noise without a sound changes nothing."""
    rms = float(np.sqrt((noise**2).mean()))
    return wave if rms == 0 else wave + noise * 10 ** (level_db / 20) / rms
