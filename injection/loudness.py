"""Level, edges and peaks: what must tell nothing of a class but what a rule means to tell."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

FRAME_SECONDS = 0.02
ACTIVE_DB = 30.0
"""A frame speaks if it lies less than this below the loudest, in dB."""
EDGE_DB = 45.0
"""An edge is silent if it lies more than this below the loudest frame, in dB."""
REFERENCE_DB = -30.0
"""Active level that every utterance is brought to before its rule's energy, in dB of full scale."""
KNEE = 0.7
"""Amplitude from which on peaks are bent; nothing reaches 1."""
FADE_SECONDS = 0.005
FLOOR_HZ = 50.0
"""Below, the noise of a background is flat."""


def _frame_powers(wave: npt.NDArray[np.floating], rate: int) -> Array:
    size = int(rate * FRAME_SECONDS)
    frames = np.pad(wave, (0, -len(wave) % size)).reshape(-1, size)
    powers: Array = (frames.astype(np.float64) ** 2).mean(axis=1)
    return powers


def trim(wave: npt.NDArray[np.floating], rate: int) -> npt.NDArray[np.floating]:
    """Without silence at either end; a frame beyond the first and the last that sound is kept."""
    powers = _frame_powers(wave, rate)
    sounding = np.flatnonzero(powers > powers.max() * 10 ** (-EDGE_DB / 10))
    if not len(sounding):
        return wave
    size = int(rate * FRAME_SECONDS)
    return wave[max(sounding[0] - 1, 0) * size : (sounding[-1] + 2) * size]


def active_level(wave: npt.NDArray[np.floating], rate: int) -> float:
    """RMS of the frames that speak, in dB of full scale; minus infinity for silence."""
    powers = _frame_powers(wave, rate)
    if not powers.max() > 0:
        return -np.inf
    return float(10 * np.log10(powers[powers > powers.max() * 10 ** (-ACTIVE_DB / 10)].mean()))


def set_level(wave: Array, rate: int, level: float) -> Array:
    """The wave at an active level in dB of full scale."""
    found = active_level(wave, rate)
    return wave if found == -np.inf else wave * 10 ** ((level - found) / 20)


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
    spectrum = np.fft.rfft(rng.standard_normal(size))
    octaves = np.log2(np.maximum(np.fft.rfftfreq(size, 1 / rate), FLOOR_HZ) / FLOOR_HZ)
    noise: Array = np.fft.irfft(spectrum * 10 ** (slope_db * octaves / 20), size)
    return noise / np.sqrt((noise**2).mean())


def finish(wave: npt.NDArray[np.floating], rate: int, level: float | None) -> Array:
    """Speech that a model made, without silent edges, at an active level in dB of full scale (None: its own)."""
    cut = fade(trim(wave, rate).astype(np.float64), rate)
    return limit(cut if level is None else set_level(cut, rate, level))
