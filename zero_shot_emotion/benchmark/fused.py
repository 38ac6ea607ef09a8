"""Fusions of a grid: a speech system and a text system on the same source with the same seed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .. import metrics
from ..audio import AudioError
from ..fusion import fuse
from ..regression import Regression, for_all_classes, save
from ..results import Predictions, read_results, write_predictions, write_report
from ..settings import DataSettings
from ..sources import Entry, Source, Sources
from ..text.settings import TextSettings
from .text import TextJob, gather, train_and_test_text, write_facts
from .train import Job, Part, alone_in, guarded, limit_threads, read_facts, train_and_test_dev

PENALTIES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0)
"""Inverse strengths of the penalty, on standardised vectors; dev chooses."""
ITERATIONS = 5000
FUSED = "fused-regression.safetensors"
"""What was fitted to the joined vectors, as `zero_shot_emotion.regression.load` reads it."""

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class FusionJob:
    """What a worker is asked for: a fusion, whole.

    Attributes:
        folder: of the fusion; what all parts say of a target is gathered here.
        parts: one, or one a fold.
        speech: the system on speech, with the same parts.
        text: the system on text, with the same parts.
        how: ``late`` or ``features``.
    """

    folder: Path
    parts: tuple[Part, ...]
    speech: Job
    text: TextJob
    how: Literal["late", "features"]


def run_fusion_job(job: FusionJob) -> str | None:
    """Fuse and test.

    Returns:
        None, or what went wrong: a failure must not stop other systems.
    """
    return guarded(job.folder, partial(_late if job.how == "late" else _by_features, job))


def _late(job: FusionJob) -> None:
    """Train what is not trained of the two, let dev weigh them."""
    with alone_in(job.speech.folder):
        train_and_test_dev(job.speech)
    with alone_in(job.text.folder):
        train_and_test_text(job.text)  # what is trained is only tested, on the targets as they are now
    start = time.monotonic()
    metric = job.text.settings(job.text.parts[0]).data.dev_metric
    parts = zip(job.parts, job.speech.parts, job.text.parts, strict=True)
    weights = [
        fuse(
            heard.folder, read.folder, list(part.targets), part.folder / "late", dev_metric=metric, same_dev=False
        ).weight
        for part, heard, read in parts
    ]
    told = {name: read_results(job.speech.folder)[name]["bad_audio"] for name in job.text.targets}
    _gather(job, [part.folder / "late" / "fusion" for part in job.parts], told, {"weights of speech": weights})
    known = read_facts(job.speech.folder), read_facts(job.text.folder)
    parameters = sum(facts["parameters"] for facts in known) + 1
    training = [facts["training"] for facts in known]
    seconds = None if None in training else sum(training) + time.monotonic() - start
    _facts(job, seconds, start, parameters)


def _by_features(job: FusionJob) -> None:
    """Train a logistic regression on what is stored of both."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    limit_threads(job.text.threads)
    start = time.monotonic()
    parameters, chosen = 0, []
    for part in job.parts:
        examples = _Examples(job, part)
        (seen, labels), dev = examples.get("train"), examples.get("dev")
        fitted: list[tuple[float, float, Any]] = []
        for strength in PENALTIES:
            model = make_pipeline(
                StandardScaler(), LogisticRegression(C=strength, class_weight="balanced", max_iter=ITERATIONS)
            ).fit(seen, labels)
            told = metrics.confusion(dev[1], model.predict(dev[0]), examples.classes)
            fitted.append((metrics.METRICS[examples.metric](told), strength, model))
        _, strength, model = max(fitted, key=lambda found: found[0])  # of equals the strongest penalty
        chosen.append(strength)
        parameters += sum(values.size for values in (model[-1].coef_, model[-1].intercept_))
        scaler, fit = model[0], model[-1]
        weights, biases = for_all_classes(examples.names, fit.classes_, fit.coef_, fit.intercept_)
        regression = Regression(
            examples.names, scaler.mean_, scaler.scale_, weights, biases, clip=None, penalty=strength * len(labels)
        )
        save(regression, part.folder / "features" / FUSED, examples.made_of())
        for target in part.targets:
            examples.report(part.folder / "features", target, regression)
    trained = time.monotonic() - start
    places = [part.folder / "features" for part in job.parts]
    counts = {name: Counter[str]() for name in job.text.targets}
    for place, part in zip(places, job.parts, strict=True):
        for name in part.targets:
            counts[name].update(read_results(place)[name]["bad_audio"])
    _gather(job, places, {name: dict(count) for name, count in counts.items()}, {"C": chosen})
    _facts(job, trained, start + trained, parameters)


class _Examples:
    """Vectors and labels of what can be heard and read."""

    def __init__(self, job: FusionJob, part: Part) -> None:
        assert job.speech.config is not None
        self._job = job
        data = job.speech.config["downstream_expert"]["datarc"]
        shared = {key: data[key] for key in ("valid_ratio", "dev_metric") if key in data}
        settings = DataSettings(train=part.train, targets=part.targets, labels=job.speech.labels, **shared)
        text = job.text.settings(part)
        self.metric, self.classes = settings.dev_metric, len(settings.label_set.classes)
        self.names = settings.label_set.classes
        self._heard = Sources(settings, job.speech.seed)
        self._read = Sources(settings, job.speech.seed, medium="text", context=text.data.context, skip_textless=True)

    def get(self, split: str) -> tuple[Vectors, npt.NDArray[np.int64]]:
        """Vectors of shape (utterances, widths of both), and class indices."""
        entries, vectors, _ = self._of(split)
        return vectors, np.array([entry.label for entry in entries])

    def _of(self, split: str) -> tuple[list[Entry], Vectors, dict[str, int]]:
        """Entries with their vectors, and how many cannot be heard, by reason."""
        from ..text.train import words

        spoken = {entry.id: entry for entry in self._heard.get(split).entries}
        both = [(spoken[entry.id], entry) for entry in self._read.get(split).entries if entry.id in spoken]
        store = self._job.speech.upstream[self._job.speech.upstream.index("-k") + 1]
        found = {e.id: _speech_vector(store, e) for e, _ in both}
        heard = {name: vector for name, vector in found.items() if not isinstance(vector, str)}
        bad = Counter(reason for reason in found.values() if isinstance(reason, str))
        both = [pair for pair in both if pair[0].id in heard]
        part = self._job.text
        read = _text_vectors(part.store, part.settings(part.parts[0]), tuple(words(entry) for _, entry in both))
        entries = [entry for _, entry in both]
        return entries, np.hstack([np.stack([heard[entry.id] for entry in entries]), read]), dict(bad)

    def made_of(self) -> dict[str, str]:
        """Of what a joined vector consists, in this order."""
        speech, text = self._job.speech.upstream, self._job.text
        store = speech[speech.index("-k") + 1]
        return {"speech": store, "text": text.settings(text.parts[0]).encoder.name, "joined": "speech, text"}

    def report(self, folder: Path, target: str, model: Regression) -> None:
        """Test, and leave predictions and report in a folder."""
        entries, vectors, bad = self._of(target)
        shares = model.probabilities(vectors.astype(np.float64))
        truth = np.array([entry.label for entry in entries])
        predictions = Predictions([entry.id for entry in entries], truth, shares, self.names)
        source = Source(tuple(entries), self._read.get(target).drops)
        write_predictions(folder, target, source, predictions)
        write_report(folder, target, source, predictions, {"bad_audio": bad})


@cache
def _features(store: str) -> Any:
    from ..features.store import FeatureStore

    return FeatureStore(store)


def _speech_vector(store: str, entry: Entry) -> Vectors | str:
    """Mean over layers and frames of what is stored, shape (width,); of bad audio the reason."""
    from ..features.stand_in import find

    assert entry.path is not None
    features = _features(store)
    try:
        stored = find(features, entry.path, entry.id, min_seconds=0.0)
    except AudioError as error:
        return error.reason
    if stored is None:
        return "not stored"
    states = features.features(stored.row).float()
    mean: Vectors = states.reshape(-1, states.shape[-1]).mean(dim=0).numpy()
    return mean


def _text_vectors(folder: Path, settings: TextSettings, texts: Sequence[tuple[str, tuple[str, ...]]]) -> Vectors:
    """Means over tokens, shape (utterances, width)."""
    from ..text.encoder import TextEncoder
    from ..text.store import TextStore

    store = TextStore(folder, TextEncoder(settings.encoder))
    return np.stack([states.mean(axis=0) for states in store.states(texts)])


def _gather(job: FusionJob, parts: list[Path], bad_audio: Mapping[str, dict[str, int]], about: dict[str, Any]) -> None:
    data = job.text.settings(job.text.parts[0]).data
    for name, spec in job.text.targets.items():
        gather(job.folder, parts, name, spec, data, bad_audio=bad_audio[name], **about)


def _facts(job: FusionJob, training: float | None, start: float, parameters: int) -> None:
    seconds = round((time.monotonic() - start) / len(job.text.targets), 3)
    trained = None if training is None else round(training, 3)
    write_facts(job.folder, trained, dict.fromkeys(job.text.targets, seconds), parameters, job.speech.device)
