"""Folders of results as a grid would leave them: predictions are drawn at random, their metrics are the true ones."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from zero_shot_emotion import metrics
from zero_shot_emotion.benchmark import Cost, Row, SourceKind, Test, read_rows, write_rows

FOUR = ("neu", "hap", "ang", "sad")
LAYERS = {"data2vec": 13, "wavlm-base": 13}

SOURCES: Mapping[str, tuple[SourceKind, float]] = {
    "in-domain": ("in-domain", 0.6),
    "real-meld": ("real", 0.25),
    "acted": ("synthetic", 0.35),
    "neutral": ("synthetic-neutral", 0.08),
    "shuffled": ("shuffled", 0.0),
    "majority": ("majority", 0.0),
}
"""Kind of each source, and how often a system that was trained on it knows rather than guesses."""

SYSTEMS: Mapping[str, tuple[str, str, float]] = {
    "data2vec": ("speech", "UtteranceLevel", 1.0),
    "fbank": ("speech", "UtteranceLevel", 0.5),
    "bert-base-uncased": ("text", "logistic-regression", 0.7),
}
"""Modality and head of each system, and by what its knowledge is multiplied."""


@dataclass(frozen=True)
class Toy:
    """What to draw.

    Attributes:
        systems: names out of `SYSTEMS`, or their modality, head and knowledge.
        sources: names and what they are.
        targets: how many utterances each has; two for each class at least.
        seeds: of the rows.
        changes: to every row.
        labels: the classes.
        salt: another number draws other predictions for the same configs.
        bootstraps: for the intervals of a row: few, to be fast.
    """

    systems: Mapping[str, tuple[str, str, float]] = field(default_factory=lambda: SYSTEMS)
    sources: Mapping[str, tuple[SourceKind, float]] = field(default_factory=lambda: SOURCES)
    targets: Mapping[str, int] = field(default_factory=lambda: {"emodb": 120, "nemo": 100})
    seeds: Sequence[int] = (0, 1, 2)
    labels: Sequence[str] = FOUR
    changes: Mapping[str, Any] = field(default_factory=dict)
    salt: int = 0
    bootstraps: int = 20


def write_toy(folder: str | Path, toy: Toy | None = None) -> list[Row]:
    """Write rows and predictions into a folder, beside those that are there."""
    folder, toy = Path(folder), toy or Toy()
    with patch.object(metrics, "BOOTSTRAPS", toy.bootstraps):
        rows = [
            _row(folder, toy, system, source, target, seed)
            for target in toy.targets
            for system in toy.systems
            for source in toy.sources
            for seed in toy.seeds
        ]
    write_rows(folder, [*read_rows(folder), *rows])
    return rows


def _row(folder: Path, toy: Toy, system: str, source: str, target: str, seed: int) -> Row:
    modality, head, share = toy.systems[system]
    kind, knowledge = toy.sources[source]
    config = {
        "benchmark": "toy",
        "upstream": system,
        "head": head,
        "train": [f"corpora/{source}-{seed}"],
        "target": target,
        "labels": list(toy.labels),
        "runner": {"total_steps": 1500, "optimizer": {"name": "AdamW", "lr": 1e-4}},
        "seed": seed,
        **dict(toy.changes.get("config", {})),
    }
    key = Row.id_for(config)
    rng = np.random.default_rng([int(key, 16), toy.salt])
    truth, speakers = _truth(target, toy)
    predicted = _predict(truth, kind, knowledge * share, rng, len(toy.labels))
    report = metrics.report(truth, predicted, toy.labels, speakers)
    _write_predictions(folder / "predictions" / f"{key}.csv", target, truth, predicted, speakers, toy.labels, rng)
    weights = rng.dirichlet(3 + np.arange(LAYERS[system])[::-1]) if system in LAYERS else None
    fields = {
        "id": key,
        "benchmark": "toy",
        "modality": modality,
        "system": system,
        "head": head,
        "source": source,
        "source_kind": kind,
        "target": target,
        "seed": seed,
        "labels": tuple(toy.labels),
        "protocol": {"normalise": "source", "dev_metric": "UAR"},
        "test": Test(
            utterances=report["utterances"],
            metrics={name: report[name] for name in metrics.METRICS},
            recall=report["recall"],
            confusion=report["confusion"]["rows are truth"],
            grouped_by="speaker",
            dropped={"fea": 12},
        ),
        "layer_weights": None if weights is None else tuple(float(w) for w in weights),
        "cost": Cost(
            features=float(20 * (1 + 10 * share) * rng.uniform(0.9, 1.1)),
            training=float(rng.uniform(5, 9)),
            testing=float(rng.uniform(0.1, 0.3)),
            parameters=199_172,
            device="cpu",
        ),
        "fingerprints": {target: f"{target}-f00d", source: f"{source}-{seed}"},
        "versions": {"zero-shot-emotion": "0.1.0", "torch": "2.8.0", "s3prl": "0.4.18"},
        "made": "2026-01-02T03:04:05Z",
        **{name: value for name, value in toy.changes.items() if name != "config"},
        "config": config,
        "command": f"zero-shot-emotion benchmark run toy.yaml --only {key}",
    }
    return Row.model_validate(fields)


def _truth(target: str, toy: Toy) -> tuple[np.ndarray, list[str]]:
    """The same for every row of a target; neutral is the commonest."""
    rng = np.random.default_rng(len(target))
    classes, utterances = len(toy.labels), toy.targets[target]
    rest = rng.choice(classes, utterances - 2 * classes, p=_shares(classes))
    truth = np.concatenate([np.repeat(np.arange(classes), 2), rest])
    return truth, [f"s{k % 10:02d}" for k in range(utterances)]


def _shares(classes: int) -> np.ndarray:
    weights = np.array([2.0, *[1.0] * (classes - 1)])
    return weights / weights.sum()


def _predict(truth: np.ndarray, kind: str, knowledge: float, rng: np.random.Generator, classes: int) -> np.ndarray:
    if kind == "majority":
        return np.zeros_like(truth)
    return np.where(rng.random(len(truth)) < knowledge, truth, rng.integers(classes, size=len(truth)))


def _write_predictions(
    path: Path,
    target: str,
    truth: np.ndarray,
    predicted: np.ndarray,
    speakers: Sequence[str],
    labels: Sequence[str],
    rng: np.random.Generator,
) -> None:
    """In the form of `zero_shot_emotion.results.write_predictions`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            ["id", "corpus", "speaker", "dialogue", "truth", "predicted", *(f"p_{name}" for name in labels)]
        )
        for k, (t, p) in enumerate(zip(truth, predicted, strict=True)):
            shares = rng.dirichlet(np.ones(len(labels))) / 2
            shares[p] += 0.5
            cells = (f"{share:.6f}" for share in shares)
            writer.writerow([f"u{k:04d}", target, speakers[k], "", labels[t], labels[p], *cells])
