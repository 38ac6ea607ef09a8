"""What an injection method is, and where methods are found by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from zero_shot_emotion.audio import Audio
from zero_shot_emotion.corpus import UserError, Utterance, explain

GROUP = "zero_shot_emotion.injection"
"""The entry-point group under which a package of one's own offers methods."""
METHODS: Mapping[str, str] = {
    "rules": "injection.by_rule:ByRule",
    "expressive": "injection.expressive:Expressive",
    "voice-conversion": "injection.voice_conversion:VoiceConversion",
}
"""The methods of this package."""
NEUTRAL = "neu"
"""The emotion of the control, and of no intensity."""
Parameters = Mapping[str, float | str]


class InjectionError(UserError, ValueError):
    """Emotion that cannot be injected: an unknown method or emotion, or a corpus without audio."""


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
            the speech, and the parameters that made it.
        """


def load_method(name: str, settings: Mapping[str, Any] | None = None) -> Method:
    """The method of a name.

    Args:
        name: of a method.
        settings: see the method's ``Settings``.

    Raises:
        InjectionError: if there is no such method, or a setting is not one of its own, naming those there are.
    """
    own = (EntryPoint(name, target, GROUP) for name, target in METHODS.items())
    known = {point.name: point for point in (*entry_points(group=GROUP), *own)}
    if name not in known:
        raise InjectionError(f"unknown injection method {name!r}: expected one of {', '.join(sorted(known))}")
    made, given = known[name].load(), dict(settings or {})
    model = getattr(made, "Settings", None)
    if model is None:
        if given:
            raise InjectionError(f"injection method {name}: got the setting {next(iter(given))!r}, expected none")
        method: Method = made()
        return method
    try:
        method = made(model.model_validate(given))
    except ValidationError as error:
        keys = ", ".join(model.model_fields)
        raise InjectionError(f"injection method {name}: {explain(error)} (settings: {keys})") from None
    return method
