"""WORLD: speech taken apart into F0, envelope and aperiodicity, changed, and put together again.

Pure functions on waves; the same input gives the same samples. On one core at 16 kHz, as a share of
real time: F0 .012, envelope .007, aperiodicity .022, synthesis .01. F0 is dio's: on espeak-ng's voices
it agrees with Praat's, where harvest, at thirty times the price, jumps an octave in up to 18% of the
frames.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import cache
from types import ModuleType

import numpy as np
import numpy.typing as npt

from .contour import JITTER_TO_DEVIATION, SHIMMER_TO_DEVIATION, bend, perturb
from .rules import Prosody, Tilt

Array = npt.NDArray[np.float64]

F0_FLOOR, F0_CEILING = 50.0, 600.0
"""Hz. At 16 kHz a floor of 47 Hz is the lowest that an FFT of 1,024 points can take."""
RANGE = (0.75, 1.5)
"""Where F0 is looked for in the second pass, times its first and third quartile in the first."""
FRAME_MS = 5.0
"""Between frames, WORLD's default."""
FINE = 4
"""Into how many parts a frame is cut where cycles differ: WORLD interpolates F0 between frames, and a cycle of a
high voice is shorter than one."""
PAUSE_DB = 40.0
"""A frame may be of a pause if it lies more than this below the loudest, in dB."""
PAUSE_MS = 100.0
"""What is quiet for so long is a pause; a stop's closure is shorter."""

LTASS = {
    **{200: 60.2, 250: 60.3, 315: 59.0, 400: 62.1, 500: 62.1, 630: 60.5, 800: 56.8, 1000: 53.7, 1250: 53.0},
    **{1600: 52.0, 2000: 48.7, 2500: 48.1, 3150: 46.8, 4000: 45.6, 5000: 44.5, 6300: 44.3},
}
"""Long-term average spectrum of speech in dB per third of an octave, over twelve languages, both sexes alike from
200 Hz on: Byrne and others 1994, "An international comparison of long-term average speech spectra"."""
MOST_MATCHING_DB = 20.0
"""Of gain towards it: a band that holds nothing has nothing to be raised."""


@dataclass(frozen=True)
class Speech:
    """An utterance taken apart.

    Args:
        f0: in Hz per frame, 0 where unvoiced.
        envelope: power per frame and frequency.
        aperiodicity: share of noise in the amplitude per frame and frequency, from 0 to 1.
        rate: of the wave, in Hz.
        frame_ms: milliseconds from frame to frame.
    """

    f0: Array
    envelope: Array
    aperiodicity: Array
    rate: int
    frame_ms: float = FRAME_MS


@cache
def _world() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it asks pkg_resources for its version
        import pyworld
    module: ModuleType = pyworld
    return module


def analyse(wave: npt.NDArray[np.floating], rate: int) -> Speech:
    """Take a wave apart."""
    world = _world()
    samples: Array = np.ascontiguousarray(wave, dtype=np.float64)
    f0, times = track(samples, rate)
    fft_size = world.get_cheaptrick_fft_size(rate, F0_FLOOR)
    envelope = world.cheaptrick(samples, f0, times, rate, f0_floor=F0_FLOOR, fft_size=fft_size)
    return Speech(f0, envelope, world.d4c(samples, f0, times, rate, fft_size=fft_size), rate)


def track(wave: npt.NDArray[np.floating], rate: int) -> tuple[Array, Array]:
    """F0 in Hz and the times of its frames in s.

    In De Looze and Hirst's two passes: what the first finds tells the range to expect in the second.
    After one pass espeak-ng's breathy voices have up to 9% of their frames an octave low, and a wider
    range would drive those to a creak.
    """
    world = _world()
    samples: Array = np.ascontiguousarray(wave, dtype=np.float64)
    f0, times = world.dio(samples, rate, f0_floor=F0_FLOOR, f0_ceil=F0_CEILING, frame_period=FRAME_MS)
    if (f0 > 0).any():
        low, high = np.quantile(f0[f0 > 0], [0.25, 0.75]) * RANGE
        f0, times = world.dio(samples, rate, f0_floor=max(low, F0_FLOOR), f0_ceil=high, frame_period=FRAME_MS)
    return world.stonemask(samples, f0, times, rate), times


def synthesise(speech: Speech) -> Array:
    """Put a wave together."""
    wave: Array = _world().synthesize(speech.f0, speech.envelope, speech.aperiodicity, speech.rate, speech.frame_ms)
    return wave


def match_spectrum(speech: Speech, share: float) -> Speech:
    """Speech whose long-term spectrum lies nearer to that of real speech, `LTASS`.

    Args:
        speech: neutral, as it was analysed.
        share: of the way in dB, from 0 to 1.
    """
    if share == 0:
        return speech
    frequencies = np.linspace(0, speech.rate / 2, speech.envelope.shape[1])
    centres, target = np.array(list(LTASS)), np.array(list(LTASS.values()))
    within = centres * 2 ** (1 / 6) <= frequencies[-1]
    centres, target = centres[within], target[within]
    power = speech.envelope.mean(axis=0)
    bands = (np.abs(np.log2(np.maximum(frequencies, 1.0)[:, np.newaxis] / centres)) <= 1 / 6).astype(np.float64)
    gain = share * (target - 10 * np.log10(np.maximum(power @ bands, 1e-20)))
    weights = np.maximum(1 - np.abs(np.log2(centres[:, np.newaxis] / centres)), 0.0)
    gain = weights @ gain / weights.sum(axis=1)  # over an octave, so that formants stay
    gain = np.clip(gain - gain.mean(), -MOST_MATCHING_DB, MOST_MATCHING_DB)
    curve = np.interp(np.log(np.maximum(frequencies, 1.0)), np.log(centres), gain)
    return replace(speech, envelope=speech.envelope * 10 ** (curve / 10))


def change(speech: Speech, prosody: Prosody, tilt: Tilt, rng: np.random.Generator) -> Speech:
    """Speech with another prosody, all but its energy, which the level of the wave decides.

    Args:
        speech: neutral.
        prosody: what to change.
        tilt: where ``tilt_db`` lies.
        rng: of vibrato, jitter and shimmer; how much is drawn from it depends on the prosody.
    """
    speech = _change_times(speech, prosody.pauses, prosody.vowels)
    power = speech.envelope.sum(axis=1)
    envelope = _change_formants(speech.envelope, prosody.formants)
    changed = replace(
        speech,
        f0=_change_f0(speech.f0, prosody.f0_mean, prosody.f0_range),
        envelope=envelope * 10 ** (_gain_db(speech, prosody.tilt_db, tilt) / 10),
        aperiodicity=_change_breath(speech, prosody.breathiness),
        frame_ms=speech.frame_ms * prosody.duration,  # WORLD interpolates between frames, however far apart
    )
    bent = bend(changed.f0, power, changed.frame_ms, prosody, rng)
    changed = replace(changed, f0=np.where(bent > 0, np.clip(bent, F0_FLOOR, F0_CEILING), 0.0))
    return _perturb(changed, prosody.jitter_percent, prosody.shimmer_db, rng)


def _perturb(speech: Speech, jitter_percent: float, shimmer_db: float, rng: np.random.Generator) -> Speech:
    """Speech whose cycles differ in length and in amplitude."""
    if jitter_percent <= 0 and shimmer_db <= 0:
        return speech
    fine = _refine(speech)
    f0, sizes = perturb(fine.f0, fine.frame_ms, max(jitter_percent, 0.0) / 100 * JITTER_TO_DEVIATION, rng)
    gain_db = max(shimmer_db, 0.0) * SHIMMER_TO_DEVIATION * sizes
    return replace(
        fine,
        f0=np.where(f0 > 0, np.clip(f0, F0_FLOOR, F0_CEILING), 0.0),
        envelope=fine.envelope * 10 ** (gain_db[:, np.newaxis] / 10),
    )


def _refine(speech: Speech) -> Speech:
    """The same with more frames, straight lines between those there were."""
    places = np.arange((len(speech.f0) - 1) * FINE + 1) / FINE
    below = np.minimum(places.astype(np.int64), len(speech.f0) - 2)
    share = (places - below)[:, np.newaxis]

    def between(values: Array) -> Array:
        return values[below] * (1 - share) + values[below + 1] * share

    f0 = between(speech.f0[:, np.newaxis])[:, 0]
    edges = (speech.f0[below] == 0) | (speech.f0[below + 1] == 0)
    nearest = speech.f0[np.minimum(np.round(places).astype(np.int64), len(speech.f0) - 1)]
    return replace(
        speech,
        f0=np.where(edges, nearest, f0),
        envelope=between(speech.envelope),
        aperiodicity=between(speech.aperiodicity),
        frame_ms=speech.frame_ms / FINE,
    )


def _change_times(speech: Speech, pauses: float, vowels: float) -> Speech:
    """Lengthen or shorten the pauses and the voiced frames."""
    if pauses == vowels == 1:
        return speech
    factors = np.where(_pauses(speech), pauses, np.where(speech.f0 > 0, vowels, 1.0))
    ends = np.cumsum(factors)
    frames = np.minimum(np.searchsorted(ends, np.arange(round(ends[-1])), side="right"), len(ends) - 1)
    return replace(
        speech, f0=speech.f0[frames], envelope=speech.envelope[frames], aperiodicity=speech.aperiodicity[frames]
    )


def _pauses(speech: Speech) -> npt.NDArray[np.bool_]:
    """Which frames are of a pause: without voice and far below the loudest, for longer than a stop's closure."""
    power = speech.envelope.sum(axis=1)
    quiet = (speech.f0 == 0) & (power < power.max() * 10 ** (-PAUSE_DB / 10))
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(np.int8)))
    paused = np.zeros(len(quiet), dtype=np.bool_)
    for start, end in edges.reshape(-1, 2):
        paused[start:end] = (end - start) * speech.frame_ms >= PAUSE_MS
    return paused


def _change_formants(envelope: Array, factor: float) -> Array:
    """Stretch the envelope along frequency; beyond the highest that was there, the highest is held."""
    if factor == 1:
        return envelope
    top = envelope.shape[1] - 1
    places = np.minimum(np.arange(top + 1) / factor, top)
    below = np.minimum(places.astype(np.int64), top - 1)
    share = places - below
    changed = envelope[:, below] * (1 - share) + envelope[:, below + 1] * share
    return np.ascontiguousarray(changed)  # as WORLD wants it


def _change_f0(f0: Array, mean: float, spread: float) -> Array:
    """Move and stretch the contour about its mean, on a logarithmic scale; unvoiced frames stay."""
    voiced = f0 > 0
    if not voiced.any():
        return f0
    log = np.log(f0[voiced])
    centre = log.mean()
    changed = f0.copy()
    changed[voiced] = np.clip(np.exp(centre + np.log(mean) + (log - centre) * spread), F0_FLOOR, F0_CEILING)
    return changed


def _change_breath(speech: Speech, breathiness: float) -> Array:
    """More or less noise where there is voice; consonants stay."""
    voiced = (speech.f0 > 0)[:, np.newaxis]
    changed: Array = np.where(voiced, np.clip(speech.aperiodicity + breathiness, 0.0, 1.0), speech.aperiodicity)
    return changed


def _gain_db(speech: Speech, tilt_db: float, tilt: Tilt) -> Array:
    """Gain per frequency of the envelope, in dB."""
    frequencies = np.linspace(0, speech.rate / 2, speech.envelope.shape[1])
    at = np.log(np.maximum(frequencies, 1.0))
    return np.interp(at, np.log([tilt.from_hz, tilt.to_hz]), [0.0, tilt_db])
