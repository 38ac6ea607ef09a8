"""The method ``rules``: prosody by rule, through a vocoder, offline and deterministic."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib.metadata import version
from typing import Any

import numpy as np

from zero_shot_emotion.audio import Audio, resample
from zero_shot_emotion.corpus import Utterance

from .loudness import background, fade, limit, set_level, trim
from .method import InjectionError, Settings
from .rules import RuleSet, load_rules
from .world import analyse, change, match_spectrum, synthesise

RATE = 16_000
"""Hz. What the upstreams hear; WORLD takes three quarters of the time that it takes at 22,050 Hz, and half of
that where a low F0 floor doubles its FFT."""


class RulesSettings(Settings):
    """What the method ``rules`` can be told.

    Attributes:
        rules: a rule set's name or path, see `injection.rules`.
    """

    rules: str = "acted"


class ByRule:
    """Injects emotions by a rule set.

    Args:
        settings: or the rule set itself.
    """

    Settings = RulesSettings

    def __init__(self, settings: RulesSettings | RuleSet) -> None:
        self.rules = settings if isinstance(settings, RuleSet) else load_rules(settings.rules)

    @staticmethod
    def finding() -> str:
        """What the doctor says of it."""
        return f"pyworld {version('pyworld')}, no weights"

    @property
    def emotions(self) -> Collection[str]:
        return self.rules.emotions

    @property
    def config(self) -> Mapping[str, Any]:
        return {
            "rules": self.rules.model_dump(mode="json", exclude={"level_db"}),
            "rate": RATE,
            "reference_db": self.rules.level_db,  # where it stood when no rule set could tell it
            "versions": {"pyworld": version("pyworld")},
        }

    def inject(
        self,
        audio: Audio | None,
        emotion: str,
        intensity: float,
        rng: np.random.Generator,
        utterance: Utterance | None = None,
    ) -> tuple[Audio, dict[str, float]]:
        if audio is None:
            raise InjectionError("rules: got no audio, expected neutral speech")
        prosody = self.rules.prosody(emotion, intensity, rng)
        neutral = trim(resample(audio, RATE).wave, RATE)
        speech = match_spectrum(analyse(neutral, RATE), self.rules.spectrum)
        cycles = rng.spawn(1)[0]  # so that what is drawn of it moves nothing that is drawn of the other
        wave = fade(synthesise(change(speech, prosody, self.rules.tilt, cycles)), RATE)
        level = self.rules.level_db + prosody.energy_db
        wave = set_level(wave, RATE, level)
        parameters = prosody.model_dump()
        if self.rules.noise is not None:
            snr_db = rng.uniform(*self.rules.noise.snr_db)
            slope_db = rng.uniform(*self.rules.noise.slope_db)
            wave = wave + 10 ** ((level - snr_db) / 20) * background(len(wave), RATE, slope_db, rng)
            parameters |= {"snr_db": snr_db, "noise_slope_db": slope_db}
        return Audio(limit(wave), RATE), parameters
