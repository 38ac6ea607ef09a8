"""An utterance and where its audio lies: what a step that listens works on."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from zero_shot_emotion.corpus import Corpus, Utterance


class SoundItem(BaseModel):
    """An utterance with the absolute path of its audio."""

    model_config = ConfigDict(frozen=True)

    utterance: Utterance
    path: str

    @property
    def id(self) -> str:
        return self.utterance.id


class SoundBatch(BaseModel):
    """Several of them, for engines that work faster on many."""

    model_config = ConfigDict(frozen=True)

    id: str
    items: tuple[SoundItem, ...]


def sound_items(corpus: Corpus, utterances: Iterable[Utterance] | None = None) -> list[SoundItem]:
    """The utterances of a corpus that have audio."""
    chosen = corpus.utterances if utterances is None else utterances
    return [SoundItem(utterance=u, path=str(corpus.audio_path(u).resolve())) for u in chosen if u.file_name is not None]


def sound_batches(items: list[SoundItem], size: int) -> list[SoundBatch]:
    """Batches of like length, whose members depend on the items alone."""
    ordered = sorted(items, key=lambda item: (_samples(item.path), item.id))
    return [
        SoundBatch(id=f"{number:06d}", items=tuple(ordered[start : start + size]))
        for number, start in enumerate(range(0, len(ordered), size))
    ]


def _samples(path: str) -> float:
    """Seconds of a file, 0 if it cannot be read: the step that reads it will tell why."""
    import soundfile

    try:
        return float(soundfile.info(path).duration)
    except (soundfile.LibsndfileError, RuntimeError):
        return 0.0
