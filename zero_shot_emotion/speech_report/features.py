"""What is compared: the measures of `zero_shot_emotion.acoustics`, in groups, with words and units for people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Feature:
    """A measure: how it is called, its unit, the digits that are shown, and whether it is compared on a log scale."""

    name: str
    unit: str
    digits: int = 1
    log: bool = False


FEATURES = {
    "level_db": Feature("active level", "dB"),
    "dynamics_db": Feature("spread of levels", "dB"),
    "floor_db": Feature("noise floor under speech", "dB"),
    "clipped": Feature("clipped samples", "share", 4),
    "lead_seconds": Feature("silence before", "s", 2),
    "trail_seconds": Feature("silence after", "s", 2),
    "seconds": Feature("duration", "s", 2, log=True),
    "syllable_rate": Feature("syllable rate", "per s", 2),
    "pause_share": Feature("pauses", "share", 2),
    "f0_hz": Feature("F0, mean", "Hz", 0, log=True),
    "f0_range_st": Feature("F0, range", "semitones"),
    "low_db": Feature("0 to 0.5 kHz", "dB"),
    "mid_db": Feature("0.5 to 1 kHz", "dB"),
    "high_db": Feature("2 to 4 kHz", "dB"),
    "top_db": Feature("4 to 8 kHz", "dB"),
    "alpha_ratio_db": Feature("alpha ratio", "dB"),
    "tilt_db": Feature("spectral tilt", "dB/octave"),
    "voiced": Feature("voiced", "share", 2),
    "jitter": Feature("jitter", "%", 2),
    "shimmer": Feature("shimmer", "%"),
    "hnr_db": Feature("harmonics to noise", "dB"),
}
"""In the order of the page."""

GROUPS = {
    "level": ("level_db", "dynamics_db", "floor_db", "clipped"),
    "edges": ("lead_seconds", "trail_seconds"),
    "timing": ("seconds", "syllable_rate", "pause_share"),
    "pitch": ("f0_hz", "f0_range_st"),
    "spectrum": ("low_db", "mid_db", "high_db", "top_db", "alpha_ratio_db", "tilt_db"),
    "voice quality": ("voiced", "jitter", "shimmer", "hnr_db"),
}
CEPSTRUM = "cepstrum"
"""The set of means and deviations of the mel-frequency cepstrum, which have no names of their own."""
ALL = "all measures"
SOUND = "all but timing"
"""How long an utterance is, and how fast, is for a good part its text's doing; the rest is not."""
SPEECH = "all but level and edges"
"""What a recording's gain and its cutting do not decide."""
SETS = {
    ALL: tuple(FEATURES),
    SOUND: tuple(f for f in FEATURES if f not in GROUPS["timing"]),
    **GROUPS,
    CEPSTRUM: (),
}
"""What a classifier may see, by name."""
SPEECH_FEATURES = tuple(f for f in FEATURES if f not in GROUPS["level"] + GROUPS["edges"])
