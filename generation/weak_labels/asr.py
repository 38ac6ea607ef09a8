"""What a speech recogniser is, and where recognisers are found by name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from zero_shot_emotion.audio import Audio, AudioError, check_audio, read_audio
from zero_shot_emotion.corpus import Utterance
from zero_shot_emotion.corpus.stage import Made
from zero_shot_emotion.registry import Registry, checked_settings

from . import hub
from .errors import WeakLabelError
from .sound_item import SoundBatch

GIVEN = "given"
"""Stands for the corpus's own transcripts."""
RECOGNISERS = Registry(
    "transcripts.engine",
    "zero_shot_emotion.asr",
    {
        "whisper": "generation.weak_labels.whisper:Whisper",
        "faster-whisper": "generation.weak_labels.faster_whisper:FasterWhisper",
        "pocketsphinx": "generation.weak_labels.pocketsphinx:PocketSphinx",
    },
    WeakLabelError,
    also=(GIVEN,),
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

    def transcribe(self, audios: Sequence[Audio]) -> list[str]:
        """The words of each utterance at 16 kHz; empty where it hears none."""


def describe(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a recogniser's transcripts depend on: all its settings, and the versions of what it runs on.

    Raises:
        WeakLabelError: if there is none of the name, it is not installed, or a setting is not one of its own.
    """
    made = RECOGNISERS.find(name)
    checked = checked_settings(made, settings, f"transcripts.settings: {name}", WeakLabelError)
    try:
        versions = dict(made.versions())
    except PackageNotFoundError as error:
        raise WeakLabelError(
            f"transcripts.engine: {name}: {error}; expected it to be installed, as by "
            f"pip install 'zero-shot-emotion[{name}]'"
        ) from None
    return {"engine": name, "settings": checked.model_dump(mode="json"), "versions": versions}


def expect_models(name: str, settings: Mapping[str, Any]) -> None:
    """Raise where a model of the hub that a recogniser loads cannot be had.

    Raises:
        WeakLabelError: naming the setting and the model.
    """
    made = RECOGNISERS.find(name)
    checked = made.Settings.model_validate(settings)
    for key in getattr(made, "hub_models", ()):
        hub.expect(f"transcripts.settings: {key}", getattr(checked, key), getattr(checked, "revision", None))


@cache
def load_recogniser(name: str, settings: str) -> Recogniser:
    """The recogniser of a name, made once a process.

    Args:
        name: of an engine.
        settings: as a JSON object.

    Raises:
        WeakLabelError: as `describe` does, or if what it loads is not there.
    """
    given = json.loads(settings)
    describe(name, given)
    made = RECOGNISERS.find(name)
    recogniser: Recogniser = made(made.Settings.model_validate(given))
    return recogniser


@dataclass(frozen=True)
class TranscribeTask:
    """Writes down a batch. What cannot be read gets ``failure`` in its line, and costs the others nothing."""

    engine: str
    settings: str

    def __call__(self, batch: SoundBatch) -> list[Made]:
        heard: list[Audio] = []
        failures: dict[str, str] = {}
        for item in batch.items:
            try:
                audio = read_audio(item.path)
                check_audio(audio, item.path)
                heard.append(audio)
            except AudioError as error:
                failures[item.id] = str(error)
        texts = iter(load_recogniser(self.engine, self.settings).transcribe(heard) if heard else [])
        return [
            Made(
                Utterance(id=item.id, failure=failures[item.id])
                if item.id in failures
                else Utterance(id=item.id, text=" ".join(next(texts).split()))
            )
            for item in batch.items
        ]
