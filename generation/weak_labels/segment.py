"""Recordings to segments of speech, by silero-vad; its weights come with it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

from zero_shot_emotion.audio import RATE, Audio, check_audio, read_audio
from zero_shot_emotion.corpus import Utterance
from zero_shot_emotion.corpus.stage import Made

from .settings import Segments
from .sound_item import SoundItem

MOST_SEGMENTS = 10_000
"""Of a recording, as ids count them: segments of a dialogue's recordings keep its order."""


@dataclass(frozen=True)
class SegmentTask:
    """Cuts a recording. Each segment's line says where it begins and ends in the recording, in seconds."""

    settings: Segments

    def __call__(self, item: SoundItem) -> list[Made]:
        audio = read_audio(item.path)
        check_audio(audio, item.path)
        made = []
        whole = item.utterance
        told_anew = {"id", "file_name", "text", "turn", "dialogue", "recording", "start", "end"}
        kept = whole.model_dump(exclude=told_anew, exclude_none=True)
        for number, (start, end) in enumerate(speech(audio, self.settings)):
            segment = Utterance(
                **kept,
                id=f"{whole.id}-{number:04d}",
                dialogue=whole.dialogue or whole.id,
                turn=(whole.turn or 0) * MOST_SEGMENTS + number,
                recording=whole.id,
                start=round(start / RATE, 3),
                end=round(end / RATE, 3),
            )
            made.append(Made(segment, Audio(audio.wave[start:end], RATE)))
        return made


def speech(audio: Audio, settings: Segments) -> list[tuple[int, int]]:
    """Where there is speech in audio at 16 kHz: first and last sample of each segment."""
    import torch

    model, find = _model()
    found = find(
        torch.from_numpy(audio.wave.astype("float32", copy=False)),
        model,
        sampling_rate=RATE,
        threshold=settings.threshold,
        min_speech_duration_ms=int(1000 * settings.min_seconds),
        max_speech_duration_s=settings.max_seconds,
        min_silence_duration_ms=int(1000 * settings.min_silence),
        speech_pad_ms=int(1000 * settings.pad),
    )
    return [(int(stretch["start"]), int(stretch["end"])) for stretch in found]


def versions() -> dict[str, str]:
    """Of the detector."""
    return {"silero-vad": version("silero-vad")}


@cache
def _model() -> tuple[Any, Any]:
    import torch

    threads = torch.get_num_threads()
    from silero_vad import get_speech_timestamps, load_silero_vad

    torch.set_num_threads(threads)  # which the import sets to 1 for the whole process
    return load_silero_vad(), get_speech_timestamps
