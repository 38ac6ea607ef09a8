"""Rule sets: what each emotion does to neutral speech, in numbers with their sources."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    ValidationInfo,
    field_validator,
)

from zero_shot_emotion.config_files import find_config, read_mapping, validated
from zero_shot_emotion.config_values import Span, rising
from zero_shot_emotion.corpus import UserError

from .loudness import REFERENCE_DB
from .method import NEUTRAL

Factor = Annotated[float, Field(ge=0.25, le=4)]
"""Of what the neutral utterance has: two octaves or four times the time are more than speech can bear."""
Decibels = Annotated[float, Field(ge=-30, le=30)]
Deviation = Annotated[float, Field(ge=0, le=10)]
Strength = Annotated[float, Field(ge=0, le=2)]
Semitones = Annotated[float, Field(ge=-24, le=24)]
Slope = Annotated[float, Field(ge=-200, le=200)]
"""In semitones a second; what Emofilt calls sensible."""
FACTORS = ("f0_mean", "f0_range", "duration", "formants", "pauses", "vowels")
"""What multiplies, and is interpolated and jittered in its logarithm; the other values add."""


class RulesError(UserError, ValueError):
    """A rule set that is not what it should be."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Prosody(_Strict):
    """Changes to an utterance; the defaults change nothing.

    Attributes:
        f0_mean: factor of the geometric mean of F0.
        f0_range: factor of the excursions of log F0 about its mean.
        duration: factor.
        energy_db: active level against the level that all utterances are first brought to, in dB.
        tilt_db: gain of the high against the low frequencies in dB, see `Tilt`.
        breathiness: added to the aperiodicity, the share of noise in each band, from 0 to 1.
        formants: factor of the frequencies of the spectral envelope; spread lips raise them.
        pauses: factor of the length of pauses, beside ``duration``.
        vowels: factor of the length of voiced frames, beside ``duration``: vowels and what is voiced beside them.
        phrase_st: rise of F0 from the first to the last voiced frame, in semitones; declination is negative.
        focus_st: how much higher the loudest syllable lies, in semitones.
        focus_st_s: rise of F0 within the loudest syllable, in semitones a second; a fall is negative.
        final_st_s: rise of F0 within the last syllable, in semitones a second.
        onset_st: peak of the inflection in the first 400 ms, in semitones; it starts lower than it peaks.
        vibrato_st: depth of a vibrato of about 8.5 Hz, in semitones.
        jitter_percent: difference of successive periods of the voice that is added, in percent (Praat's local jitter).
        shimmer_db: the same of their amplitudes, in dB (Praat's local shimmer in dB).
    """

    f0_mean: Factor = 1.0
    f0_range: Factor = 1.0
    duration: Factor = 1.0
    energy_db: Decibels = 0.0
    tilt_db: Decibels = 0.0
    breathiness: Annotated[float, Field(ge=-1, le=1)] = 0.0
    formants: Annotated[float, Field(ge=0.8, le=1.25)] = 1.0
    pauses: Factor = 1.0
    vowels: Factor = 1.0
    phrase_st: Semitones = 0.0
    focus_st: Semitones = 0.0
    focus_st_s: Slope = 0.0
    final_st_s: Slope = 0.0
    onset_st: Semitones = 0.0
    vibrato_st: Annotated[float, Field(ge=0, le=6)] = 0.0
    jitter_percent: Annotated[float, Field(ge=0, le=30)] = 0.0
    shimmer_db: Annotated[float, Field(ge=0, le=10)] = 0.0


class Rule(Prosody):
    """The prosody of an emotion, each value that is given with its source; what the source says beyond is left out."""

    sources: Annotated[dict[str, str], Field(validate_default=True)] = {}
    left_out: tuple[str, ...] = ()

    @field_validator("sources")
    @classmethod
    def _for_each_value(cls, sources: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        given = {key for key, value in info.data.items() if value != cls.model_fields[key].default}
        if missing := sorted(given - set(sources)):
            raise ValueError(f"a source for {', '.join(missing)}")
        if unknown := sorted(set(sources) - set(Prosody.model_fields)):
            raise ValueError(f"no source for {', '.join(unknown)}, which is no value of a rule")
        return sources


class Jitter(_Strict):
    """Standard deviations between utterances: of the logarithm of a factor, or of a value that adds.

    What differs from cycle to cycle of the voice is a value of the rules, ``jitter_percent``.
    """

    f0_mean: Deviation = 0.0
    f0_range: Deviation = 0.0
    duration: Deviation = 0.0
    energy_db: Deviation = 0.0
    tilt_db: Deviation = 0.0
    breathiness: Deviation = 0.0
    formants: Deviation = 0.0
    pauses: Deviation = 0.0
    vowels: Deviation = 0.0
    phrase_st: Deviation = 0.0
    focus_st: Deviation = 0.0
    focus_st_s: Annotated[float, Field(ge=0, le=100)] = 0.0
    final_st_s: Annotated[float, Field(ge=0, le=100)] = 0.0
    onset_st: Deviation = 0.0
    vibrato_st: Deviation = 0.0
    jitter_percent: Deviation = 0.0
    shimmer_db: Deviation = 0.0
    source: str = ""


class Tilt(_Strict):
    """How ``tilt_db`` spreads: 0 dB up to one frequency, the whole from another on, straight over log frequency.

    200 to 2,000 Hz is the shelf of real emotional speech; up to 8,000 Hz it becomes a ramp.
    """

    from_hz: PositiveFloat = 200.0
    to_hz: PositiveFloat = 2000.0

    @field_validator("to_hz")
    @classmethod
    def _above(cls, to_hz: float, info: ValidationInfo) -> float:
        if to_hz <= info.data.get("from_hz", 0):
            raise ValueError(f"more than from_hz, {info.data['from_hz']:g}")
        return to_hz


class Noise(_Strict):
    """Background noise of each utterance, whatever its emotion.

    Attributes:
        snr_db: the speech's active level over the noise, in dB.
        slope_db: of the noise's spectrum above 50 Hz, in dB per octave: 0 is white, -3 pink, -6 brown.
        source: why these.
    """

    snr_db: Span
    slope_db: Span = (0.0, 0.0)
    source: str = ""


class RuleSet(_Strict):
    """Rules for some emotions, and what they share.

    Attributes:
        name: of its file.
        description: what it is, and what it was selected on.
        spectrum: how far each utterance's long-term spectrum is brought to that of real speech, before its emotion,
            from 0 to 1; see `injection.world.LTASS`.
        level_db: active level that every utterance is brought to before its rule's energy, in dB of full scale. Real
            speech peaks some 15 to 20 dB above; what comes near full scale is bent.
        tilt: where ``tilt_db`` lies.
        jitter: how utterances differ.
        intensity: what the intensity that is asked for is multiplied by.
        noise: None is none.
        emotions: rules by label.
    """

    name: str
    description: str
    spectrum: Annotated[float, Field(ge=0, le=1)] = 0.0
    level_db: Annotated[float, Field(ge=-60, le=-10)] = REFERENCE_DB
    tilt: Tilt = Tilt()
    jitter: Jitter = Jitter()
    intensity: Annotated[tuple[Strength, Strength], AfterValidator(rising)] = (1.0, 1.0)
    noise: Noise | None = None
    emotions: dict[str, Rule]

    @field_validator("emotions")
    @classmethod
    def _with_neutral(cls, emotions: dict[str, Rule]) -> dict[str, Rule]:
        if NEUTRAL not in emotions:
            raise ValueError(f"a rule for {NEUTRAL!r}, which intensity starts from")
        return emotions

    def prosody(self, emotion: str, intensity: float, rng: np.random.Generator) -> Prosody:
        """What to do to one utterance: the rule at an intensity, with the utterance's own jitter.

        The jitter depends on the generator alone, so an utterance keeps it whatever the emotion.
        """
        neutral, rule = self.emotions[NEUTRAL], self.emotions[emotion]
        drawn = dict(zip(Prosody.model_fields, rng.standard_normal(len(Prosody.model_fields)), strict=True))
        intensity *= rng.uniform(*self.intensity)
        values = {}
        for key in Prosody.model_fields:
            start, end, jitter = (getattr(part, key) for part in (neutral, rule, self.jitter))
            noise = jitter * drawn[key]
            if key in FACTORS:
                values[key] = start * (end / start) ** intensity * math.exp(noise)
            else:
                values[key] = start + (end - start) * intensity + noise
        return Prosody.model_construct(**values)  # jitter may lead beyond what a rule may ask for


def load_rules(name_or_path: str | Path) -> RuleSet:
    """Read a rule set, one of ``configs/injection`` by its name or any file by its path.

    Raises:
        MissingConfigError: if there is none.
        RulesError: naming file, emotion, key, value and what was expected.
    """
    path = find_config("injection", name_or_path)
    return validated(RuleSet, {"name": path.stem, **read_mapping(path, RulesError)}, path, RulesError)
