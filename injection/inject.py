"""The stage from neutral to emotional speech."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import Executor
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import numpy as np

from zero_shot_emotion import __version__
from zero_shot_emotion.audio import check_audio, read_audio
from zero_shot_emotion.corpus import Corpus, Utterance
from zero_shot_emotion.corpus.stage import Made, StageReport, local_executor, run_stage

from .method import NEUTRAL, InjectionError, Method, load_method

MAX_INTENSITY = 2.0
DIGITS = 4
"""Of the parameters that are written down."""


@dataclass(frozen=True)
class InjectTask:
    """Injects an utterance's emotion, with a random generator of its own."""

    injector: Method
    method: str
    rules: str
    root: Path
    intensity: float
    seed: int
    neutral: bool

    def __call__(self, utterance: Utterance) -> list[Made]:
        emotion = NEUTRAL if self.neutral else (utterance.label or NEUTRAL)
        audio = read_audio(self.root / (utterance.file_name or ""), rate=None)
        check_audio(audio, utterance.id)
        rng = np.random.default_rng(utterance_seed(self.seed, utterance.id))
        made, parameters = self.injector.inject(audio, emotion, self.intensity, rng)
        check_audio(made, f"{utterance.id}, after injection")
        injection = {
            "method": self.method,
            "rules": self.rules,
            "emotion": emotion,
            "intensity": self.intensity,
            "parameters": {key: round(value, DIGITS) for key, value in parameters.items()},
        }
        return [Made(utterance.with_(injection=injection), made)]


def utterance_seed(seed: int, utterance_id: str) -> int:
    """A number of its own for each utterance, the same in every process, whatever else the corpus holds."""
    return int.from_bytes(sha256(f"{seed}/{utterance_id}".encode()).digest()[:8], "big")


def inject(
    corpus: Corpus,
    out: str | Path,
    *,
    method: str = "rules",
    rules: str | Path = "acted",
    intensity: float = 1.0,
    seed: int = 0,
    workers: int = 1,
    neutral: bool = False,
    skip_errors: bool = False,
    overwrite: bool = False,
    executor: Executor | None = None,
    shards: int | None = None,
) -> StageReport:
    """Make each utterance of a corpus of neutral speech sound as its label says.

    Args:
        corpus: with audio and with labels that the method knows.
        out: the folder of the new corpus, whose lines gain ``injection``.
        method: by name, see `injection.method`.
        rules: the method's config; for ``rules`` a rule set by name or path.
        intensity: from 0, neutral, over 1, the rule, to 2; factors are interpolated on a log scale.
        seed: of the jitter.
        workers: processes on this machine, where no executor is given.
        neutral: the control. Every utterance keeps its label and its jitter, and gets the neutral rule.
        skip_errors: leave out what cannot be done, and list it.
        overwrite: throw away what the folder holds of another run.
        executor: any `concurrent.futures.Executor`, such as a cluster's.
        shards: folders that the audio is spread over, see `run_stage`.

    Raises:
        InjectionError: before any work, on an unknown method, an intensity out of range, or a label
            that the method does not know.
        RulesError: on a rule set that is not what it should be.
        CorpusError: if an utterance has no audio.
        StageError: if utterances failed, or the folder holds another run.
    """
    if not 0 <= intensity <= MAX_INTENSITY:
        raise InjectionError(f"intensity: got {intensity}, expected 0 to {MAX_INTENSITY:g}")
    injector = load_method(method, str(rules))
    if not neutral:
        _check_labels(corpus, injector, f"{method} {str(rules)!r}")
    for utterance in corpus:
        corpus.audio_path(utterance)  # raises where there is only text
    card = {
        "stage": "inject",
        "method": method,
        "config": dict(injector.config),
        "intensity": intensity,
        "seed": seed,
        "neutral": neutral,
        "source": {"name": corpus.name, "fingerprint": corpus.card.get("fingerprint")},
        "versions": {
            "zero_shot_emotion": __version__,
            **{name: version(name) for name in ("numpy", "pyworld", "soxr")},
        },
    }
    if "labels" in corpus.card:
        card["labels"] = corpus.card["labels"]
    task = InjectTask(injector, method, Path(rules).name, corpus.root.resolve(), intensity, seed, neutral)
    with local_executor(1 if executor else workers) as local:
        return run_stage(
            corpus.utterances,
            task,
            out,
            name="inject",
            card=card,
            executor=executor or local,
            skip_errors=skip_errors,
            overwrite=overwrite,
            shards=shards,
        )


def _check_labels(corpus: Corpus, method: Method, name: str) -> None:
    unknown = Counter(u.label for u in corpus if u.label not in method.emotions)
    if unknown:
        counts = ", ".join(f"{label or 'no label'} ({count} utterances)" for label, count in unknown.items())
        raise InjectionError(
            f"injection method {name} cannot inject {counts}: expected labels among {', '.join(method.emotions)}"
        )
