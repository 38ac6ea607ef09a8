"""Level, edges and peaks: what must tell nothing of a class but what a rule means to tell."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zero_shot_emotion.acoustics import set_level, trim
from zero_shot_emotion.noise import coloured

Array = npt.NDArray[np.float64]

REFERENCE_DB = -30.0
"""Active level that every utterance is brought to unless something else is asked for, in dB of full scale."""
KNEE = 0.7
"""Amplitude from which on peaks are bent; nothing reaches 1."""
FADE_SECONDS = 0.005


def limit(wave: Array) -> Array:
    """Bend what lies beyond the knee so that all stays below full scale; below it nothing changes."""
    size = np.abs(wave)
    room = 1 - KNEE
    bent = KNEE + room * np.tanh((size - KNEE) / room)
    return np.where(size > KNEE, np.sign(wave) * bent, wave)


def fade(wave: Array, rate: int) -> Array:
    """Without clicks at either end."""
    ramp = np.linspace(0, 1, min(int(rate * FADE_SECONDS), len(wave) // 2))
    gain = np.ones(len(wave))
    gain[: len(ramp)] = ramp
    gain[len(wave) - len(ramp) :] = ramp[::-1]
    return wave * gain


def background(size: int, rate: int, slope_db: float, rng: np.random.Generator) -> Array:
    """Noise of RMS 1 whose spectrum slopes by so many dB per octave above 50 Hz."""
    noise = coloured(size, rate, slope_db, rng)
    return noise / np.sqrt((noise**2).mean())


def finish(wave: npt.NDArray[np.floating], rate: int, level: float | None) -> Array:
    """Speech that a model made, without silent edges, at an active level in dB of full scale (None: its own)."""
    cut = fade(trim(wave, rate).astype(np.float64), rate)
    return limit(cut if level is None else set_level(cut, rate, level))
