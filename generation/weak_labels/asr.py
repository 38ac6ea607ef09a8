"""What a speech recogniser is, and where recognisers are found by name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from zero_shot_emotion.audio import Audio, AudioError, check_audio, read_audio
from zero_shot_emotion.corpus import Utterance, explain
from zero_shot_emotion.corpus.stage import Made

from .errors import WeakLabelError
from .sound_item import SoundBatch

GROUP = "zero_shot_emotion.asr"
"""The entry-point group under which a package of one's own offers recognisers."""
ENGINES: Mapping[str, str] = {
    "whisper": "generation.weak_labels.whisper:Whisper",
    "faster-whisper": "generation.weak_labels.faster_whisper:FasterWhisper",
    "pocketsphinx": "generation.weak_labels.pocketsphinx:PocketSphinx",
}
"""The recognisers of this package."""
GIVEN = "given"
"""Stands for the corpus's own transcripts."""


class Settings(BaseModel):
    """What a recogniser can be told. Goes on the card as it is, so it never holds a key."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class Recogniser(Protocol):
    """What writes down speech. The class is called with an instance of its own ``Settings``."""

    @staticmethod
    def versions() -> Mapping[str, str]:
        """Of what it runs on; goes on the card. Nothing is loaded for it."""

    def transcribe(self, audios: Sequence[Audio]) -> list[str]:
        """The words of each utterance at 16 kHz; empty where it hears none."""


def recogniser_class(name: str) -> Any:
    """The class of a recogniser.

    Raises:
        WeakLabelError: if there is none, naming those there are.
    """
    own = (EntryPoint(engine, target, GROUP) for engine, target in ENGINES.items())
    known = {point.name: point for point in (*entry_points(group=GROUP), *own)}
    if name not in known:
        raise WeakLabelError(f"transcripts.engine: got {name!r}, expected {GIVEN} or one of {', '.join(sorted(known))}")
    return known[name].load()


def describe(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a recogniser's transcripts depend on: all its settings, and the versions of what it runs on.

    Raises:
        WeakLabelError: if there is none of the name, it is not installed, or a setting is not one of its own.
    """
    made = recogniser_class(name)
    try:
        checked = made.Settings.model_validate(settings)
    except ValidationError as error:
        known = ", ".join(made.Settings.model_fields) or "none"
        raise WeakLabelError(f"transcripts.settings: {name}: {explain(error)} (settings: {known})") from None
    try:
        versions = dict(made.versions())
    except PackageNotFoundError as error:
        raise WeakLabelError(
            f"transcripts.engine: {name}: {error}; expected it to be installed, as by "
            f"pip install 'zero-shot-emotion[{name}]'"
        ) from None
    return {"engine": name, "settings": checked.model_dump(mode="json"), "versions": versions}


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
    made = recogniser_class(name)
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
