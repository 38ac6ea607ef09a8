"""The shape of F0: what a rule adds to an utterance's own contour, and what differs from cycle to cycle.

The contour is bent, never replaced: accents stay where the synthesiser put them. What is added has no mean over the
voiced frames, so ``f0_mean`` stays what it says.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .rules import Prosody

Array = npt.NDArray[np.float64]

SEMITONE = float(np.log(2) / 12)
SYLLABLE_MS = 200.0
"""Of a stressed or final syllable; rules speak of syllables, and there are no phonemes here to count."""
GLIDE_MS = 50.0
"""From the contour of the focus back to the utterance's own."""
VIBRATO_HZ = (0.7 * 8.5, 1.3 * 8.5)
"""DAVID's 8.5 Hz and its random variation of 30%."""
ONSET_MS = (0.0, 58.5, 255.3, 401.6)
ONSET_SHAPE = (-200 / 140, 1.0, 82.7 / 140, 0.0)
"""DAVID's inflection of happy speech, as a share of its peak: preset ``happy high - brm``."""
WORLD_UNVOICED_HZ = 500.0
"""Of the pulses that WORLD sets where there is no voice; its phase runs on through them."""
SHIMMER_TO_DEVIATION = float(np.sqrt(np.pi) / 2)
"""From the mean absolute difference of two independent normal values to their standard deviation."""
JITTER_TO_DEVIATION = SHIMMER_TO_DEVIATION / 0.66
"""Praat finds .60 to .75 of what the lengths of cycles differ by, on steady tones of 100 to 300 Hz."""


def bend(f0: Array, power: Array, frame_ms: float, prosody: Prosody, rng: np.random.Generator) -> Array:
    """F0 with the contour of a prosody.

    Args:
        f0: in Hz per frame, 0 where unvoiced.
        power: per frame; the focus lies where it is greatest.
        frame_ms: milliseconds from frame to frame, as they will sound.
        prosody: of which what is in semitones counts, alone or a second.
        rng: of the vibrato's rate and phase; drawn from whether there is any or not.
    """
    rate, phase = rng.uniform(*VIBRATO_HZ), rng.uniform(0, 2 * np.pi)
    voiced = np.flatnonzero(f0)
    if not len(voiced):
        return f0
    times = np.arange(len(f0)) * frame_ms
    first, last = times[voiced[0]], times[voiced[-1]]
    added = prosody.phrase_st * (np.interp(times, [first, max(last, first + frame_ms)], [0.0, 1.0]) - 0.5)
    added += _focus(times - times[_loudest(f0, power, frame_ms)], prosody.focus_st, prosody.focus_st_s)
    added += prosody.final_st_s * np.clip(times - (last - SYLLABLE_MS), 0.0, SYLLABLE_MS) / 1000
    added += prosody.onset_st * np.interp(times - first, ONSET_MS, ONSET_SHAPE)
    added += max(prosody.vibrato_st, 0.0) * np.sin(2 * np.pi * rate * times / 1000 + phase)
    return f0 * np.exp(SEMITONE * (added - added[voiced].mean()))


def _loudest(f0: Array, power: Array, frame_ms: float) -> int:
    """The frame about which a voiced syllable is loudest."""
    window = np.ones(max(round(SYLLABLE_MS / 2 / frame_ms), 1))
    smooth = np.convolve(np.where(f0 > 0, power, 0.0), window, mode="same")[: len(f0)]
    return int(np.argmax(np.where(f0 > 0, smooth, -1.0)))


def _focus(times: Array, level: float, slope: float) -> Array:
    """Semitones over times in ms from the middle of the stressed syllable."""
    half = SYLLABLE_MS / 2
    edge, reach = half + GLIDE_MS, slope * half / 1000
    return np.interp(times, [-edge, -half, half, edge], [0.0, level - reach, level + reach, 0.0])


def perturb(f0: Array, frame_ms: float, jitter: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """F0 that differs from cycle to cycle of the voice, and a deviation of the amplitude to go with it.

    Follows the phase as WORLD does, so that what is drawn for a cycle lasts as long as the cycle that it makes.

    Args:
        f0: in Hz per frame, 0 where unvoiced; frames must be shorter than a cycle.
        frame_ms: milliseconds from frame to frame.
        jitter: standard deviation of the logarithm of a cycle's F0.
        rng: one of its own, because a longer utterance draws more from it.

    Returns:
        F0, and standard normal deviations per frame, the same within a cycle.
    """
    drawn = rng.standard_normal((len(f0) + 1, 2))
    changed, sizes = f0.copy(), np.zeros(len(f0))
    phase, cycle = 0.0, 0
    for frame, hertz in enumerate(f0):
        if hertz > 0:
            changed[frame], sizes[frame] = hertz * np.exp(jitter * drawn[cycle, 0]), drawn[cycle, 1]
        phase += (changed[frame] or WORLD_UNVOICED_HZ) * frame_ms / 1000
        if phase >= 1:
            phase, cycle = phase % 1, cycle + 1
    return changed, sizes
