"""The stage from a text corpus to neutral speech."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zero_shot_emotion import __version__
from zero_shot_emotion.audio import check_audio
from zero_shot_emotion.corpus import Corpus, Utterance
from zero_shot_emotion.corpus.stage import Made, StageReport, local_executor, run_stage

from .casting import cast, speaker_key
from .engine import SpeechError, load_engine
from .text import spoken


@dataclass(frozen=True)
class SpeakTask:
    """Speaks an utterance in the voice that its line names. The sound is the engine's, untrimmed and unscaled."""

    engine: str

    def __call__(self, utterance: Utterance) -> list[Made]:
        text = spoken(utterance.text or "")
        if not text:
            raise SpeechError(f"nothing to speak in the text {utterance.text!r}")
        audio = load_engine(self.engine).speak(text, utterance.extra["voice"])
        check_audio(audio, f"{self.engine}, text {text!r}")
        return [Made(utterance, audio)]


def speak(
    corpus: Corpus,
    out: str | Path,
    *,
    engine: str = "espeak-ng",
    seed: int = 0,
    workers: int = 1,
    skip_errors: bool = False,
    overwrite: bool = False,
    executor: Executor | None = None,
) -> StageReport:
    """Speak a corpus neutrally, each speaker in a voice of their own.

    Args:
        corpus: with text; speakers, genders, languages and dialogues are heeded where given.
        out: the folder of the new corpus, whose lines gain ``voice`` and ``engine``.
        engine: by name, see `tts.engine`.
        seed: of the casting.
        workers: processes on this machine, where no executor is given.
        skip_errors: leave out what cannot be spoken, and list it.
        overwrite: throw away what the folder holds of another run.
        executor: any `concurrent.futures.Executor`.

    Raises:
        SpeechError: if the engine is unknown.
        CastingError: if no voice fits a speaker.
        StageError: if utterances failed, or the folder holds another run.
    """
    speaker = load_engine(engine)
    voices = cast(corpus, speaker.voices(), seed)
    items = [u.with_(voice=voices[speaker_key(u)].id, engine=engine) for u in corpus]
    card = {
        "stage": "speak",
        "engine": engine,
        "seed": seed,
        "source": {"name": corpus.name, "fingerprint": corpus.card.get("fingerprint")},
        "versions": {"zero_shot_emotion": __version__, engine: speaker.version, "numpy": np.__version__},
    }
    if "labels" in corpus.card:
        card["labels"] = corpus.card["labels"]
    with local_executor(1 if executor else workers) as local:
        return run_stage(
            items,
            SpeakTask(engine),
            out,
            name="speak",
            card=card,
            executor=executor or local,
            skip_errors=skip_errors,
            overwrite=overwrite,
        )
