"""The stage from a text corpus to neutral speech."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from zero_shot_emotion import __version__
from zero_shot_emotion.audio import check_audio
from zero_shot_emotion.corpus import Corpus, Utterance
from zero_shot_emotion.corpus.atomic import atomic_write
from zero_shot_emotion.corpus.corpus import CARD, MANIFEST
from zero_shot_emotion.corpus.manifest import Manifest
from zero_shot_emotion.corpus.stage import Made, StageReport, inherited, local_executor, run_stage

from .association import Association, associate
from .casting import DEFAULT_LANGUAGE, Spares, cast, speaker_key, understudies
from .engine import Engine, SpeechError, Voice, load_engine, settings_of
from .normalise import normalise
from .pace import pace_report
from .quality import Quality, check_listener, faults, spoken_seconds
from .text import spoken

OF_EARLIER_SOUND = ("spoken", "takes", "injection", "augmentation")
"""What a line may tell of sound that is replaced."""


class Line(BaseModel):
    """An utterance to speak, and who may speak it: its speaker's voice, then the understudies in their order."""

    model_config = ConfigDict(frozen=True)

    utterance: Utterance
    voices: tuple[str, ...]

    @property
    def id(self) -> str:
        return self.utterance.id


@dataclass(frozen=True)
class SpeakTask:
    """Speaks a line in the first of its voices that passes the gate. The sound is the engine's, untrimmed and unscaled.

    A voice at which the engine itself fails counts as one that does not pass.
    """

    engine: str
    settings: str
    quality: Quality

    def __call__(self, line: Line) -> list[Made]:
        utterance = line.utterance
        language = utterance.language or DEFAULT_LANGUAGE
        text = normalise(spoken(utterance.text or ""), language)
        if not any(c.isalnum() for c in text):  # some engines have a click for "…", which is no speech
            raise SpeechError(f"nothing to speak in the text {utterance.text!r}")
        said: dict[str, Any] = {column: None for column in OF_EARLIER_SOUND if column in utterance.extra}
        if text != utterance.text:
            said["spoken"] = text
        failed: list[str] = []
        for voice in line.voices:
            try:
                audio = load_engine(self.engine, self.settings).speak(text, voice)
            except SpeechError as error:
                failed.append(str(error))
                continue
            if fault := faults(audio, text, language, self.quality):
                failed.append(f"voice {voice!r} {fault}")
                continue
            check_audio(audio, f"{self.engine}, text {text!r}")
            takes = {"takes": 1 + len(failed)} if failed else {}
            seconds = round(spoken_seconds(audio), 2)
            return [Made(utterance.with_(voice=voice, engine=self.engine, seconds=seconds, **said, **takes), audio)]
        raise SpeechError(f"{self.engine}: no voice passes for {text!r}: {'; '.join(failed)}")


@dataclass(frozen=True)
class SpeakReport(StageReport):
    """What the stage did, how the voices lie over the labels, and how many utterances had other sound before."""

    association: Association | None = None
    replaced: int = 0

    def summary(self) -> str:
        lines = [super().summary()]
        quality = self.card["gate"]
        lines.append(f"  respoken  {quality['respoken']} by another voice, {quality['out_of_pace']} out of pace")
        if self.replaced:
            lines.append(f"  replaced  the sound of {self.replaced} utterances: they are spoken anew from their text")
        return "\n".join([*lines, *([self.association.summary()] if self.association else [])])


def speak(
    corpus: Corpus,
    out: str | Path,
    *,
    engine: str = "espeak-ng",
    settings: Mapping[str, Any] | None = None,
    quality: Quality | None = None,
    seed: int = 0,
    workers: int = 1,
    skip_errors: bool = False,
    overwrite: bool = False,
    executor: Executor | None = None,
    shards: int | None = None,
) -> SpeakReport:
    """Speak a corpus neutrally, each speaker in a voice of their own.

    Where a voice fails at an utterance, that utterance alone is spoken by another that fits, and its line
    says so in ``takes``; the speaker keeps the own voice in all others.

    Args:
        corpus: with text; speakers, genders, languages and dialogues are heeded where given.
        out: the folder of the new corpus, whose lines gain ``voice``, ``engine``, ``seconds`` (of speech) and,
            where it differs from the text, ``spoken``.
        engine: by name, see `tts.engine`.
        settings: of the engine.
        quality: what passes; by default wide bounds.
        seed: of the casting.
        workers: processes on this machine, where no executor is given; fewer where the engine asks for fewer.
        skip_errors: leave out what cannot be spoken, and list it.
        overwrite: throw away what the folder holds of another run.
        executor: any `concurrent.futures.Executor`, such as a cluster's.
        shards: folders that the audio is spread over, see `run_stage`.

    Raises:
        SpeechError: if the engine or one of its settings is unknown.
        CastingError: if no voice fits a speaker.
        StageError: if utterances failed, or the folder holds another run.
    """
    quality = quality or Quality()
    check_listener(quality, (u.language or DEFAULT_LANGUAGE for u in corpus))
    given = json.dumps(dict(settings or {}), sort_keys=True, default=str)
    speaker = load_engine(engine, given)
    lines, association = _cast(corpus, speaker, seed, quality.takes)
    card = {
        "stage": "speak",
        "engine": engine,
        **({"settings": described} if (described := settings_of(speaker)) else {}),
        "seed": seed,
        "quality": quality.card(),
        "source": {"name": corpus.name, "fingerprint": corpus.card.get("fingerprint")},
        "versions": {"zero_shot_emotion": __version__, engine: speaker.version, **_library_versions()},
    }
    if association:
        card["voice_and_label"] = association.card()
    card.update(inherited(corpus.card))
    with local_executor(1 if executor else _workers(speaker, workers)) as local:
        report = run_stage(
            lines,
            SpeakTask(engine, given, quality),
            out,
            name="speak",
            card=card,
            executor=executor or local,
            skip_errors=skip_errors,
            overwrite=overwrite,
            shards=shards,
        )
    replaced = sum(utterance.file_name is not None for utterance in corpus)
    return SpeakReport(**{**vars(report), "card": _with_gate(report)}, association=association, replaced=replaced)


@dataclass(frozen=True)
class _Lines:
    """A corpus as lines to speak, each made when it is asked for."""

    corpus: Corpus
    chosen: Mapping[str, Voice]
    spares: Spares

    def __len__(self) -> int:
        return len(self.corpus)

    def __iter__(self) -> Iterator[Line]:
        for utterance in self.corpus:
            key = speaker_key(utterance)
            voices = (self.chosen[key].id, *(voice.id for voice in self.spares[key]))
            yield Line(utterance=utterance, voices=voices)


def _cast(corpus: Corpus, speaker: Engine, seed: int, takes: int) -> tuple[_Lines, Association | None]:
    voices = speaker.voices()
    chosen = cast(corpus, voices, seed)
    spares = understudies(corpus, voices, chosen, seed, takes)
    return _Lines(corpus, chosen, spares), associate(corpus, chosen, seed)


def _workers(speaker: Engine, asked: int) -> int:
    most = getattr(speaker, "most_workers", lambda: None)()
    return asked if most is None else min(asked, most)


def _library_versions() -> dict[str, str]:
    from importlib.metadata import version

    return {"numpy": np.__version__, "num2words": version("num2words")}


def _with_gate(report: StageReport) -> dict[str, Any]:
    """The card with what the gate found, added to the file if this run has completed it."""
    if "gate" in report.card:
        return report.card
    made = Manifest(report.out / MANIFEST)
    respoken = sum("takes" in utterance.extra for utterance in made)
    gate = {"respoken": respoken, "failed": len(report.failures), **pace_report(made)}
    card = {**report.card, "gate": gate}
    with atomic_write(report.out / CARD) as file:
        json.dump(card, file, indent=2, ensure_ascii=False)
        file.write("\n")
    return card
