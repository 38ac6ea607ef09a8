"""The stage from neutral to emotional speech."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from zero_shot_emotion import __version__
from zero_shot_emotion.audio import Audio, check_audio, read_audio
from zero_shot_emotion.corpus import Corpus, CorpusError, Utterance
from zero_shot_emotion.corpus.stage import Made, StageReport, inherited, local_executor, run_stage

from .by_rule import ByRule
from .method import NEUTRAL, InjectionError, Method, load_method

MAX_INTENSITY = 2.0
DIGITS = 4
"""Of the parameters that are written down."""
OF_EARLIER_SPEECH = ("voice", "engine", "seconds", "takes", "augmentation")
"""What a line may tell of speech that is replaced by a method that speaks."""


@dataclass(frozen=True)
class InjectTask:
    """Injects an utterance's emotion, with a random generator of its own."""

    injector: Method
    described: Mapping[str, str]
    root: Path
    intensity: float
    seed: int
    neutral: bool

    def __call__(self, utterance: Utterance) -> list[Made]:
        emotion = NEUTRAL if self.neutral else (utterance.label or NEUTRAL)
        rng = np.random.default_rng(utterance_seed(self.seed, utterance.id))
        made, parameters = self.injector.inject(self._audio(utterance), emotion, self.intensity, rng, utterance)
        check_audio(made, f"{utterance.id}, after injection")
        injection = {
            **self.described,
            "emotion": emotion,
            "intensity": self.intensity,
            "parameters": {
                key: round(value, DIGITS) if isinstance(value, float) else value for key, value in parameters.items()
            },
        }
        told: dict[str, Any] = {"injection": injection}
        if speaks(self.injector):
            told |= {column: None for column in OF_EARLIER_SPEECH if column in utterance.extra}
            told |= {"voice": parameters["voice"]} if "voice" in parameters else {}
        return [Made(utterance.with_(**told), made)]

    def _audio(self, utterance: Utterance) -> Audio | None:
        if utterance.file_name is None or speaks(self.injector):
            return None
        audio = read_audio(self.root / utterance.file_name, rate=None)
        check_audio(audio, utterance.id)
        return audio


def speaks(method: Method) -> bool:
    """Whether a method speaks the text itself and needs no audio."""
    return bool(getattr(method, "speaks", False))


def utterance_seed(seed: int, utterance_id: str) -> int:
    """A number of its own for each utterance, the same in every process, whatever else the corpus holds."""
    return int.from_bytes(sha256(f"{seed}/{utterance_id}".encode()).digest()[:8], "big")


def inject(
    corpus: Corpus,
    out: str | Path,
    *,
    method: str = "rules",
    settings: Mapping[str, Any] | None = None,
    rules: str | Path | None = None,
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
        corpus: with labels that the method knows, and with audio, or text for a method that speaks.
        out: the folder of the new corpus, whose lines gain ``injection``, and ``voice`` from a method that speaks:
            what they told of earlier speech goes.
        method: by name, see `injection.method`.
        settings: of the method.
        rules: the setting of that name, for the method ``rules``: a rule set by name or path.
        intensity: from 0, neutral, over 1, the rule, to 2; factors are interpolated on a log scale.
        seed: of the jitter.
        workers: processes on this machine, where no executor is given; fewer where the method asks for fewer.
        neutral: the control. Every utterance keeps its label and its jitter, and gets the neutral rule.
        skip_errors: leave out what cannot be done, and list it.
        overwrite: throw away what the folder holds of another run.
        executor: any `concurrent.futures.Executor`, such as a cluster's.
        shards: folders that the audio is spread over, see `run_stage`.

    Raises:
        InjectionError: before any work, on an unknown method or setting, an intensity out of range, or a label
            that the method does not know; on speech that has been injected already, for a method that does not speak.
        RulesError: on a rule set that is not what it should be.
        CorpusError: if an utterance has no audio, or no text for a method that speaks.
        StageError: if utterances failed, or the folder holds another run.
    """
    if not 0 <= intensity <= MAX_INTENSITY:
        raise InjectionError(f"intensity: got {intensity}, expected 0 to {MAX_INTENSITY:g}")
    given = {**(settings or {}), **({} if rules is None else {"rules": str(rules)})}
    injector = load_method(method, given)
    if intensity not in (0, 1) and not getattr(injector, "graded", True):
        raise InjectionError(f"intensity: got {intensity:g}, expected 1, or 0 for neutral: {method} knows no other")
    described = {"method": method}
    if isinstance(injector, ByRule):
        described["rules"] = injector.rules.name
    if not neutral:
        _check_labels(corpus, injector, " ".join((method, *(repr(name) for name in list(described.values())[1:]))))
    _check_input(corpus, injector)
    card = {
        "stage": "inject",
        "method": method,
        "config": dict(injector.config),
        "intensity": intensity,
        "seed": seed,
        "neutral": neutral,
        "source": {"name": corpus.name, "fingerprint": corpus.card.get("fingerprint")},
        "versions": {"zero_shot_emotion": __version__, **{name: version(name) for name in ("numpy", "soxr")}},
    }
    card.update(inherited(corpus.card))
    task = InjectTask(injector, described, corpus.root.resolve(), intensity, seed, neutral)
    with local_executor(1 if executor else _workers(injector, workers)) as local:
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


def _workers(method: Method, asked: int) -> int:
    most = getattr(method, "most_workers", lambda: None)()
    return asked if most is None else min(asked, most)


def _check_input(corpus: Corpus, method: Method) -> None:
    for utterance in corpus:
        if not speaks(method):
            corpus.audio_path(utterance)  # raises where there is only text
            _check_uninjected(corpus, utterance)
        elif not (utterance.text or "").strip():
            raise CorpusError(f"corpus {corpus.name!r}: the utterance {utterance.id!r} has no text to speak")


def _check_uninjected(corpus: Corpus, utterance: Utterance) -> None:
    before = utterance.extra.get("injection")
    if before is not None:
        raise InjectionError(
            f"corpus {corpus.name!r}: {utterance.id!r} has been injected already ({before.get('method')}, "
            f"{before.get('emotion')}), expected neutral speech: give the corpus that {corpus.root} was made of"
        )


def _check_labels(corpus: Corpus, method: Method, name: str) -> None:
    unknown = Counter(u.label for u in corpus if u.label not in method.emotions)
    if unknown:
        counts = ", ".join(f"{label or 'no label'} ({count} utterances)" for label, count in unknown.items())
        raise InjectionError(
            f"injection method {name} cannot inject {counts}: expected labels among {', '.join(method.emotions)}"
        )
