"""The transcripts of a corpus: its own, or what a recogniser hears."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zero_shot_emotion import recognition
from zero_shot_emotion.audio import Audio, AudioError, check_audio, read_audio
from zero_shot_emotion.corpus import Utterance
from zero_shot_emotion.corpus.stage import Made

from .errors import WeakLabelError
from .sound_item import SoundBatch

GIVEN = "given"
"""Stands for the corpus's own transcripts."""


def describe(engine: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What transcripts depend on, see `recognition.describe`.

    Raises:
        WeakLabelError: if there is no such recogniser, or it does not take the settings.
    """
    try:
        return recognition.describe(engine, settings)
    except recognition.RecognitionError as error:
        raise WeakLabelError(f"transcripts: {error} (the engine {GIVEN!r} takes the corpus's own)") from None


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
        texts = iter(recognition.load_recogniser(self.engine, self.settings).transcribe(heard) if heard else [])
        return [
            Made(
                Utterance(id=item.id, failure=failures[item.id])
                if item.id in failures
                else Utterance(id=item.id, text=" ".join(next(texts).split()))
            )
            for item in batch.items
        ]
