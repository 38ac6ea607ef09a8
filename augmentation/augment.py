"""The stage that sends speech through a target's channel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from zero_shot_emotion import __version__
from zero_shot_emotion.audio import check_audio, read_audio
from zero_shot_emotion.corpus import Corpus, Utterance
from zero_shot_emotion.corpus.stage import Made, StageReport, inherited, local_executor, run_stage

from .carry import carry
from .channel import Channel, ChannelError, load_channel

DIGITS = 4
"""Of what is written down."""


@dataclass(frozen=True)
class AugmentTask:
    """Makes the copies of an utterance."""

    channel: Channel
    root: Path
    copies: int
    original: bool
    seed: int

    def __call__(self, utterance: Utterance) -> Iterator[Made]:
        audio = read_audio(self.root / (utterance.file_name or ""), rate=None)
        check_audio(audio, utterance.id)
        alone = self.copies == 1 and not self.original
        first = utterance.extra.get("copy_of") or utterance.id  # copies of copies belong together, too
        if self.original:
            yield Made(utterance.with_(copy_of=first), audio)
        for copy in range(1, self.copies + 1):
            made, drawn = carry(audio, self.channel, copy_seed(self.seed, utterance.id, copy))
            check_audio(made, f"{utterance.id}, after augmentation")
            told: dict[str, Any] = {"augmentation": {"channel": self.channel.name, "copy": copy, **_rounded(drawn)}}
            if before := utterance.extra.get("augmentation"):
                told["augmentation"]["before"] = before  # as through a room, then a telephone
            if not alone:
                told |= {"id": f"{utterance.id}.{copy}", "copy_of": first}
            yield Made(utterance.with_(**told), made)


@dataclass(frozen=True)
class AugmentReport(StageReport):
    """What the stage did, and how many utterances had been through which channel before."""

    channels: dict[str, int] = field(default_factory=dict)

    def summary(self) -> str:
        if not self.channels:
            return super().summary()
        before = ", ".join(f"{channel} {count}" for channel, count in self.channels.items())
        return f"{super().summary()}\n  twice     augmented before, both are in the sound: {before}"


def copy_seed(seed: int, utterance_id: str, copy: int) -> int:
    """A number of its own for each copy of each utterance, the same in every process, whatever its label."""
    return int.from_bytes(sha256(f"augment/{seed}/{utterance_id}/{copy}".encode()).digest()[:8], "big")


def augment(
    corpus: Corpus,
    out: str | Path,
    *,
    channel: str | Path = "varied",
    copies: int = 1,
    original: bool = False,
    seed: int = 0,
    workers: int = 1,
    shards: int | None = None,
    skip_errors: bool = False,
    overwrite: bool = False,
    executor: Executor | None = None,
) -> AugmentReport:
    """Send each utterance of a corpus through a channel, once or several times.

    Speaker, dialogue and split stay, so a copy lies where its original lies, whatever the corpus is split by.
    Speech that went through a channel before goes through both; its line and the summary say so.

    Args:
        corpus: with audio.
        out: the folder of the new corpus, whose lines gain ``augmentation``, and ``copy_of`` where an utterance
            becomes several.
        channel: by name or path, see `augmentation.channel`.
        copies: of each utterance, each with a draw of its own.
        original: keep each utterance as it is, too.
        seed: of all that is drawn.
        workers: processes on this machine, where no executor is given.
        shards: folders that the audio is spread over, see `run_stage`.
        skip_errors: leave out what cannot be done, and list it.
        overwrite: throw away what the folder holds of another run.
        executor: any `concurrent.futures.Executor`.

    Raises:
        ChannelError: on a channel that is not what it should be, or fewer than one copy.
        CorpusError: if an utterance has no audio.
        StageError: if utterances failed, or the folder holds another run.
    """
    if copies < 1:
        raise ChannelError(f"copies: got {copies}, expected at least 1")
    loaded = load_channel(channel)
    channels: Counter[str] = Counter()
    for utterance in corpus:
        corpus.audio_path(utterance)  # raises where there is only text
        if before := utterance.extra.get("augmentation"):
            channels[before["channel"]] += 1
    card = {
        "stage": "augment",
        "config": loaded.model_dump(mode="json"),
        "copies": copies,
        "original": original,
        "seed": seed,
        "source": {"name": corpus.name, "fingerprint": corpus.card.get("fingerprint")},
        "versions": {
            "zero_shot_emotion": __version__,
            **{name: version(name) for name in ("numpy", "pyroomacoustics", "scipy", "soundfile", "soxr")},
        },
    }
    card.update(inherited(corpus.card))
    task = AugmentTask(loaded, corpus.root.resolve(), copies, original, seed)
    with local_executor(1 if executor else workers) as local:
        report = run_stage(
            corpus.utterances,
            task,
            out,
            name="augment",
            card=card,
            executor=executor or local,
            shards=shards,
            skip_errors=skip_errors,
            overwrite=overwrite,
        )
    return AugmentReport(**vars(report), channels=dict(channels))


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(held) for key, held in value.items()}
    if isinstance(value, list):
        return [_rounded(held) for held in value]
    return round(value, DIGITS) if isinstance(value, float) else value
