"""What a speech engine is, and where engines are found by name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from zero_shot_emotion.audio import Audio
from zero_shot_emotion.config_files import told_yaml
from zero_shot_emotion.corpus import UserError
from zero_shot_emotion.registry import Registry


class SpeechError(UserError, ValueError):
    """Speech that cannot be made: an unknown engine or voice, or a text without words."""


ENGINES = Registry(
    "engine",
    "zero_shot_emotion.tts",
    {
        "espeak-ng": "tts.espeak:EspeakNg",
        "coqui": "tts.coqui:Coqui",
        "openai": "tts.endpoint:Endpoint",
        "flite": "tts.flite:Flite",
        "piper": "tts.piper:Piper",
    },
    SpeechError,
)


@dataclass(frozen=True)
class Voice:
    """A voice of an engine.

    Args:
        id: names the voice, pitch and pace included, so that it always sounds the same.
        language: BCP 47 tag in lower case, such as ``en-us`` or ``cmn``.
        gender: None where the engine does not know.
    """

    id: str
    language: str
    gender: Literal["female", "male"] | None = None


class Settings(BaseModel):
    """What an engine can be told. Goes on the card as it is, so it never holds a key."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class Engine(Protocol):
    """What speaks. A text and a voice give the same sound in every process, whatever was spoken before.

    The class is called without arguments. One with settings has them described in a pydantic model
    named ``Settings``, is called with an instance of it, and keeps it as ``settings``. One that cannot
    use any number of processes says how many in ``most_workers()``.
    """

    @property
    def version(self) -> str:
        """Of the program behind the engine, and of what it loads; goes on the card."""

    def voices(self) -> Sequence[Voice]:
        """The voices to cast from, in a fixed order."""

    def speak(self, text: str, voice_id: str) -> Audio:
        """Say a text, neutrally.

        Raises:
            SpeechError: if the voice is unknown or the text gives no sound.
        """


@cache
def load_engine(name: str, settings: str = "{}") -> Engine:
    """The engine of a name, made once a process.

    Args:
        name: of an engine.
        settings: as a JSON object, see the engine's ``Settings``.

    Raises:
        SpeechError: if there is no such engine, or a setting is not one of its own.
    """
    engine: Engine = ENGINES.make(name, json.loads(settings))
    return engine


def parse_settings(pairs: Sequence[str]) -> dict[str, Any]:
    """Settings from a command line.

    >>> parse_settings(["seed=3", "languages=[en, de]", "model=tts-1"])
    {'seed': 3, 'languages': ['en', 'de'], 'model': 'tts-1'}

    Args:
        pairs: ``KEY=VALUE``, the values in YAML.

    Raises:
        SpeechError: on another form.
    """
    import yaml

    settings = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        try:
            settings[key] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise SpeechError(f"got {pair!r}, expected KEY=VALUE with a value in YAML: {told_yaml(error)}") from None
        if not key or not equals:
            raise SpeechError(f"got {pair!r}, expected KEY=VALUE")
    return settings


def settings_of(engine: Engine) -> dict[str, Any]:
    """All settings of an engine, those left at their defaults too, as they go on the card."""
    settings: BaseModel | None = getattr(engine, "settings", None)
    return {} if settings is None else settings.model_dump(mode="json", exclude_none=True)
