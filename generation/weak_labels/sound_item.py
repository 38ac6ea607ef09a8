"""An utterance and where its audio lies: what a step that listens works on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

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


def sound_batches(items: Sequence[SoundItem], size: int, seconds: Mapping[str, float]) -> list[SoundBatch]:
    """Batches of like length, whose members depend on the items alone."""
    ordered = sorted(items, key=lambda item: (seconds[item.id], item.id))
    return [
        SoundBatch(id=f"{number:06d}", items=tuple(ordered[start : start + size]))
        for number, start in enumerate(range(0, len(ordered), size))
    ]


def durations(corpus: Corpus) -> tuple[dict[str, float], dict[str, str]]:
    """By id the seconds of each file, as its header has them, and what is wrong with those that are none."""
    import soundfile

    seconds, failures = {}, {}
    for item in sound_items(corpus):
        try:
            seconds[item.id] = float(soundfile.info(item.path).duration)
        except (soundfile.LibsndfileError, RuntimeError) as error:
            failures[item.id] = f"{item.path}: expected an audio file: {error}"
    return seconds, failures
