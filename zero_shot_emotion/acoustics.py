"""What an utterance sounds like in a few numbers: level, pitch, timing, spectrum, voice quality.

Each is a quantity that phonetics knows, in its unit. Pitch, intensity, jitter, shimmer and cepstrum are Praat's;
F0 is tracked in two passes, the first of which tells the range to expect (De Looze and Hirst 2008).

Level and silent edges tell more of a recording than of an emotion: `Conditioning` makes them the same everywhere.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .audio import RATE, SILENCE_DB, Audio, resample

if TYPE_CHECKING:
    from parselmouth import Pitch, Sound

Array = npt.NDArray[np.float64]

FRAME_SECONDS = 0.02
ACTIVE_DB = 30.0
"""A frame speaks if it lies less than this below the loudest, in dB."""
EDGE_DB = 45.0
"""An edge is silent if it lies more than this below the loudest frame, in dB."""
LEVELS = (-60.0, 0.0)
"""Active levels that may be asked for, in dB of full scale."""
PAUSE_SECONDS = 0.15
"""What is quiet for so long within speech is a pause; a stop's closure is shorter."""
F0_FLOOR, F0_CEILING = 60.0, 600.0
"""Hz."""
F0_RANGE = (0.75, 1.5)
"""Where F0 is looked for in the second pass, times its first and third quartile in the first."""
STEP = 0.01
"""Seconds from frame to frame of Praat's analyses."""
DIP_DB = 2.0
"""Syllable nuclei are peaks of intensity in voiced speech that stand out by this (de Jong and Wempe 2009) ..."""
NUCLEUS_DB = 25.0
"""... and lie less than this below the loudest."""
SILENT_DB = -90.0
"""Nothing is called quieter than this, in dB of full scale: about what 16 bits can hold."""
FULL_SCALE = 0.999
"""Amplitude from which on a sample counts as clipped."""
BANDS = (0, 500, 1000, 2000, 4000, 8000)
"""Edges of the bands in Hz."""
CEPSTRUM = 13
"""Mel-frequency cepstral coefficients, the energy's not counted."""


@dataclass(frozen=True)
class Acoustics:
    """An utterance in numbers; None where nothing is voiced, or too little to tell.

    Attributes:
        seconds: of speech, from the first frame that speaks to the last.
        lead_seconds: of silence before it.
        trail_seconds: of silence after it.
        level_db: RMS of the frames that speak, in dB of full scale.
        dynamics_db: standard deviation of their levels, in dB.
        floor_db: what is heard between sounds: the 5th percentile of the levels within speech over ``level_db``, in dB.
        clipped: share of samples at full scale.
        f0_hz: geometric mean of F0, in Hz.
        f0_range_st: from the 10th to the 90th percentile of F0, in semitones.
        voiced: share of the speech that is.
        syllable_rate: syllable nuclei a second of speech, pauses included.
        pause_share: share of the speech that is pauses.
        low_db: level from 0 to 500 Hz against the whole, in dB; ``mid_db`` from 0.5 to 1 kHz, ``high_db`` from 2 to
            4 kHz, ``top_db`` from 4 to 8 kHz alike.
        alpha_ratio_db: level above against below 1 kHz, within 50 to 5,000 Hz.
        tilt_db: of the long-term spectrum from 200 Hz to 6 kHz, in dB per octave.
        jitter: mean difference of neighbouring periods, in per cent of a period.
        shimmer: mean difference of their amplitudes, in per cent.
        hnr_db: harmonics over noise in voiced frames, in dB.
    """

    seconds: float
    lead_seconds: float
    trail_seconds: float
    level_db: float
    dynamics_db: float
    floor_db: float
    clipped: float
    f0_hz: float | None
    f0_range_st: float | None
    voiced: float
    syllable_rate: float
    pause_share: float
    low_db: float
    mid_db: float
    high_db: float
    top_db: float
    alpha_ratio_db: float
    tilt_db: float
    jitter: float | None
    shimmer: float | None
    hnr_db: float | None


def measure(audio: Audio) -> Acoustics:
    """Measure an utterance, at 16 kHz whatever its rate, so that utterances of all rates compare.

    Args:
        audio: with at least one frame of sound; see `zero_shot_emotion.audio.check_audio`.
    """
    heard = resample(audio, RATE)
    powers = frame_powers(heard.wave, RATE)
    speaks = powers > powers.max() * 10 ** (-ACTIVE_DB / 10)
    first, last = np.flatnonzero(speaks)[[0, -1]]
    levels = 10 * np.log10(np.maximum(powers, 10 ** (SILENT_DB / 10)))
    level = active_level(heard.wave, RATE)
    seconds = (last + 1 - first) * FRAME_SECONDS
    sound = _sound(heard)
    pitch = track_pitch(sound)
    f0 = pitch.selected_array["frequency"]
    return Acoustics(
        seconds=seconds,
        lead_seconds=first * FRAME_SECONDS,
        trail_seconds=max(heard.seconds - (last + 1) * FRAME_SECONDS, 0.0),
        level_db=level,
        dynamics_db=float(levels[speaks].std()),
        floor_db=float(np.percentile(levels[first : last + 1], 5) - level),
        clipped=float((np.abs(audio.wave) >= FULL_SCALE).mean()),
        voiced=min(float((f0 > 0).sum()) * STEP / seconds, 1.0),
        syllable_rate=_nuclei(sound, pitch) / seconds,
        pause_share=_pause_share(speaks[first : last + 1]),
        **_pitch(f0),
        **_spectrum(heard.wave, speaks),
        **_voice(sound, pitch),
    )


def cepstrum(audio: Audio) -> Array:
    """Mean and standard deviation over time of the mel-frequency cepstrum, shape (2 * (CEPSTRUM + 1),)."""
    mfcc = _sound(resample(audio, RATE)).to_mfcc(CEPSTRUM, window_length=0.025, time_step=STEP).to_array()
    return np.concatenate([mfcc.mean(axis=1), mfcc.std(axis=1)])


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


def trim(wave: npt.NDArray[np.floating], rate: int) -> npt.NDArray[np.floating]:
    """Without silence at either end; a frame beyond the first and the last that sound is kept."""
    powers = frame_powers(wave, rate)
    sounding = np.flatnonzero(powers > powers.max() * 10 ** (-EDGE_DB / 10))
    if not len(sounding):
        return wave
    size = int(rate * FRAME_SECONDS)
    return wave[max(sounding[0] - 1, 0) * size : (sounding[-1] + 2) * size]


def set_level(wave: Array, rate: int, level: float) -> Array:
    """The wave at an active level in dB of full scale."""
    found = active_level(wave, rate)
    return wave if found == -np.inf else wave * 10 ** ((level - found) / 20)


@dataclass(frozen=True)
class Conditioning:
    """What is done to every utterance, of sources and targets alike, before anything listens to it.

    Attributes:
        level_db: the active level that it is set to, in dB of full scale, within `LEVELS`; None leaves it.
        trim: cut the silence at both ends.
    """

    level_db: float | None = None
    trim: bool = False

    @property
    def key(self) -> dict[str, float | bool]:
        """What belongs to the identity of all that is made of such audio: nothing where audio is left as it is."""
        return {name: value for name, value in asdict(self).items() if value is not None and value is not False}

    @property
    def flags(self) -> str:
        """As ``extract`` takes it, each with a space before it."""
        level = "" if self.level_db is None else f" --level-db {self.level_db:g}"
        return level + (" --trim" if self.trim else "")

    def __call__(self, audio: Audio) -> Audio:
        """Audio so treated, float32; what is silent throughout stays as it is, whatever noise it holds."""
        if not self.key or np.abs(audio.wave).max(initial=0) < 10 ** (SILENCE_DB / 20):
            return audio
        wave = trim(audio.wave, audio.rate) if self.trim else audio.wave
        if self.level_db is not None:
            wave = np.clip(set_level(wave.astype(np.float64), audio.rate, self.level_db), -1, 1)
        return Audio(wave.astype(np.float32), audio.rate)


AS_IT_IS = Conditioning()


def track_pitch(sound: Sound) -> Pitch:
    """F0 each 10 ms by Praat's autocorrelation, in two passes."""
    pitch = sound.to_pitch_ac(time_step=STEP, pitch_floor=F0_FLOOR, pitch_ceiling=F0_CEILING)
    f0 = pitch.selected_array["frequency"]
    if not (f0 > 0).any():
        return pitch
    low, high = np.quantile(f0[f0 > 0], [0.25, 0.75]) * F0_RANGE
    return sound.to_pitch_ac(time_step=STEP, pitch_floor=max(low, F0_FLOOR), pitch_ceiling=min(high, F0_CEILING))


def _sound(audio: Audio) -> Sound:
    from parselmouth import Sound

    return Sound(audio.wave.astype(np.float64), audio.rate)


def _pitch(f0: Array) -> dict[str, Any]:
    voiced = f0[f0 > 0]
    if not len(voiced):
        return {"f0_hz": None, "f0_range_st": None}
    low, high = np.percentile(12 * np.log2(voiced), [10, 90])
    return {"f0_hz": float(np.exp(np.log(voiced).mean())), "f0_range_st": float(high - low)}


def _nuclei(sound: Sound, pitch: Pitch) -> int:
    """How many syllables are heard."""
    from scipy.signal import find_peaks

    intensity = sound.to_intensity(minimum_pitch=50, time_step=STEP)
    contour = intensity.values[0]
    peaks, _ = find_peaks(contour, height=contour.max() - NUCLEUS_DB, prominence=DIP_DB)
    return sum(pitch.get_value_at_time(time) > 0 for time in intensity.xs()[peaks])  # nan where unvoiced


def _pause_share(speaks: npt.NDArray[np.bool_]) -> float:
    edges = np.flatnonzero(np.diff(np.concatenate([[True], speaks, [True]]).astype(np.int8)))
    lengths = edges[1::2] - edges[::2]
    return float(lengths[lengths * FRAME_SECONDS >= PAUSE_SECONDS].sum() / len(speaks))


def _spectrum(wave: npt.NDArray[np.floating], speaks: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Balance of the long-term spectrum of the frames that speak."""
    size = int(RATE * FRAME_SECONDS)
    frames = np.pad(wave, (0, -len(wave) % size)).reshape(-1, size)[speaks]
    power = (np.abs(np.fft.rfft(frames * np.hanning(size))) ** 2).mean(axis=0) + 1e-12
    at = np.fft.rfftfreq(size, 1 / RATE)

    def level(low: float, high: float) -> float:
        return float(10 * np.log10(power[(at >= low) & (at < high)].sum()))

    bands = [level(low, high) - level(0, RATE) for low, high in pairwise(BANDS)]
    within = (at >= 200) & (at <= 6000)
    octaves = np.log2(at[within])
    # a line through the spectrum over log frequency, each octave weighing alike
    slope = np.polyfit(octaves, 10 * np.log10(power[within]), 1, w=np.sqrt(1 / at[within]))[0]
    return {
        "low_db": bands[0],
        "mid_db": bands[1],
        "high_db": bands[3],
        "top_db": bands[4],
        "alpha_ratio_db": level(1000, 5000) - level(50, 1000),
        "tilt_db": float(slope),
    }


def _voice(sound: Sound, pitch: Pitch) -> dict[str, Any]:
    """Jitter and shimmer by Praat's customary bounds of a period; harmonicity from the autocorrelation's peaks."""
    from parselmouth.praat import call

    strength = pitch.selected_array["strength"][pitch.selected_array["frequency"] > 0]
    if not len(strength):
        return {"jitter": None, "shimmer": None, "hnr_db": None}
    periods = call([sound, pitch], "To PointProcess (cc)")
    bounds = (0, 0, 0.0001, 0.02, 1.3)
    jitter = call(periods, "Get jitter (local)", *bounds)
    shimmer = call([sound, periods], "Get shimmer (local)", *bounds, 1.6)
    share = np.clip(strength, 1e-3, 1 - 1e-5)
    return {
        "jitter": None if np.isnan(jitter) else 100 * jitter,
        "shimmer": None if np.isnan(shimmer) else 100 * shimmer,
        "hnr_db": float((10 * np.log10(share / (1 - share))).mean()),
    }
