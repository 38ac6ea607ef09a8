"""What an injection method is, and where methods are found by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol

import numpy as np

from zero_shot_emotion.audio import Audio
from zero_shot_emotion.corpus import UserError

GROUP = "zero_shot_emotion.injection"
"""The entry-point group under which a package of one's own offers methods."""
METHODS: Mapping[str, str] = {"rules": "injection.by_rule:ByRule"}
"""The methods of this package: what is called with the name or path of a config to make each."""
NEUTRAL = "neu"
"""The emotion of the control, and of no intensity."""


class InjectionError(UserError, ValueError):
    """Emotion that cannot be injected: an unknown method or emotion, or a corpus without audio."""


class Method(Protocol):
    """What makes neutral speech emotional. It is pickled to the workers, so heavy parts load at first use."""

    @property
    def emotions(self) -> Collection[str]:
        """What it can inject; `NEUTRAL` is always among them."""

    @property
    def config(self) -> Mapping[str, Any]:
        """All that the output depends on, besides the audio and the seed; goes on the card."""

    def inject(
        self, audio: Audio, emotion: str, intensity: float, rng: np.random.Generator
    ) -> tuple[Audio, dict[str, float]]:
        """Make an utterance sound as an emotion.

        Args:
            audio: neutral speech, from any engine, at any level.
            emotion: one of `emotions`.
            intensity: 0 is neutral, 1 is the emotion, up to 2 exaggerates it.
            rng: the utterance's own. It is drawn from in the same way whatever the emotion.

        Returns:
            the speech, and the parameters that made it.
        """


def load_method(name: str, config: str) -> Method:
    """The method of a name with its config.

    Raises:
        InjectionError: if there is none, naming those there are.
    """
    own = (EntryPoint(name, target, GROUP) for name, target in METHODS.items())
    known = {point.name: point for point in (*entry_points(group=GROUP), *own)}
    if name not in known:
        raise InjectionError(f"unknown injection method {name!r}: expected one of {', '.join(sorted(known))}")
    method: Method = known[name].load()(config)
    return method
