"""What an injection method is, and where methods are found by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict

from zero_shot_emotion.audio import Audio
from zero_shot_emotion.corpus import UserError, Utterance
from zero_shot_emotion.registry import Registry

NEUTRAL = "neu"
"""The emotion of the control, and of no intensity."""
Parameters = Mapping[str, float | str]


class InjectionError(UserError, ValueError):
    """Emotion that cannot be injected: an unknown method or emotion, or a corpus without audio."""


METHODS = Registry(
    "injection method",
    "zero_shot_emotion.injection",
    {
        "rules": "injection.by_rule:ByRule",
        "expressive": "injection.expressive:Expressive",
        "voice-conversion": "injection.voice_conversion:VoiceConversion",
    },
    InjectionError,
)


class Settings(BaseModel):
    """What a method can be told. Goes on the card as it is, so it never holds a key."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class Method(Protocol):
    """What makes neutral speech emotional. It is pickled to the workers, so heavy parts load at first use.

    The class is called without arguments, or, if it has a pydantic model named ``Settings``, with an instance of
    it. One that speaks the text itself, and so needs no audio, says ``speaks = True``. One that knows an emotion or
    none, and nothing between or beyond, says ``graded = False``. One that cannot use any number of processes says
    how many in ``most_workers()``.
    """

    @property
    def emotions(self) -> Collection[str]:
        """What it can inject; `NEUTRAL` is always among them."""

    @property
    def config(self) -> Mapping[str, Any]:
        """All that the output depends on, besides the input and the seed, versions included; goes on the card."""

    def inject(
        self, audio: Audio | None, emotion: str, intensity: float, rng: np.random.Generator, utterance: Utterance
    ) -> tuple[Audio, Parameters]:
        """Make an utterance sound as an emotion.

        Args:
            audio: neutral speech, from any engine, at any level; None where a method that speaks gets text alone.
            emotion: one of `emotions`.
            intensity: 0 is neutral, 1 is the emotion, up to 2 exaggerates it.
            rng: the utterance's own. It is drawn from in the same way whatever the emotion.
            utterance: its line: text, speaker, gender, language, voice.

        Returns:
            the speech, and the parameters that made it; ``voice`` among them where the method speaks, and chose one.
        """


def load_method(name: str, settings: Mapping[str, Any] | None = None) -> Method:
    """The method of a name.

    Args:
        name: of a method.
        settings: see the method's ``Settings``.

    Raises:
        InjectionError: if there is no such method, or a setting is not one of its own, naming those there are.
    """
    method: Method = METHODS.make(name, settings or {})
    return method
