"""What a speech recogniser is, and where recognisers are found by name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from ..audio import Audio
from ..errors import UserError
from ..pretrained import expect
from ..registry import Registry, checked_settings


class RecognitionError(UserError, ValueError):
    """A recogniser that is not there, or cannot be told what it was told."""


RECOGNISERS = Registry(
    "recogniser",
    "zero_shot_emotion.asr",
    {
        "whisper": "zero_shot_emotion.recognition.whisper:Whisper",
        "faster-whisper": "zero_shot_emotion.recognition.faster_whisper:FasterWhisper",
        "pocketsphinx": "zero_shot_emotion.recognition.pocketsphinx:PocketSphinx",
    },
    RecognitionError,
)


class Settings(BaseModel):
    """What a recogniser can be told. Goes on the card as it is, so it never holds a key."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class Recogniser(Protocol):
    """What writes down speech. The class is called with an instance of its own ``Settings``.

    ``hub_models`` names the settings that are models of the Hugging Face hub: where one cannot be had, that is told
    before any work.
    """

    @staticmethod
    def versions() -> Mapping[str, str]:
        """Of what it runs on; goes on the card. Nothing is loaded for it."""

    @property
    def languages(self) -> frozenset[str] | None:
        """What it can hear, as primary subtags such as ``en``; None if it does not say."""

    def transcribe(self, audios: Sequence[Audio], language: str | None = None) -> list[str]:
        """The words of each utterance at 16 kHz; empty where it hears none.

        Args:
            audios: the utterances.
            language: that all of them are in, one of its own; None leaves it to its settings.
        """


CODES = {"cmn": "zh", "nb": "no", "nn": "no"}
"""What Whisper and others call a language that a corpus calls by its more exact BCP 47 tag."""


def language_code(tag: str) -> str:
    """A recogniser's name of a language.

    >>> language_code("en-GB"), language_code("cmn-CN")
    ('en', 'zh')
    """
    primary = tag.split("-")[0].lower()
    return CODES.get(primary, primary)


def describe(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a recogniser's transcripts depend on: all its settings, and the versions of what it runs on.

    Raises:
        RecognitionError: if there is none of the name, it is not installed, or a setting is not one of its own.
    """
    made = RECOGNISERS.find(name)
    checked = checked_settings(made, settings, f"recogniser {name}", RecognitionError)
    told = {} if checked is None else checked.model_dump(mode="json")
    try:
        versions = dict(made.versions())
    except PackageNotFoundError as error:
        raise RecognitionError(
            f"recogniser {name}: {error}; expected it to be installed, as by pip install 'zero-shot-emotion[{name}]'"
        ) from None
    return {"engine": name, "settings": told, "versions": versions}


def expect_models(name: str, settings: Mapping[str, Any]) -> None:
    """Raise where a model of the hub that a recogniser loads cannot be had.

    Raises:
        PretrainedError: naming the setting and the model.
    """
    made = RECOGNISERS.find(name)
    checked = checked_settings(made, settings, f"recogniser {name}", RecognitionError)
    for key in getattr(made, "hub_models", ()):
        expect(f"recogniser {name}: {key}", getattr(checked, key), getattr(checked, "revision", None))


@cache
def load_recogniser(name: str, settings: str) -> Recogniser:
    """The recogniser of a name, made once a process.

    Args:
        name: of an engine.
        settings: as a JSON object.

    Raises:
        RecognitionError: as `describe` does, or if what it loads is not there.
    """
    given = json.loads(settings)
    describe(name, given)
    recogniser: Recogniser = RECOGNISERS.make(name, given)
    return recogniser
