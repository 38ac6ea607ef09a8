"""What a test leaves in the experiment folder: results.json, predictions, s3prl's own text files."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import metrics
from .corpus import atomic_write
from .errors import UserError
from .sources import Entry, Source

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RESULTS = "results.json"
SPLITS = "splits.json"
"""Ids of train and dev, as an experiment was split."""
FEW = 3
"""Utterances a text from which on a set says the same few things."""


class ResultsError(UserError, ValueError):
    """Results that are missing or not what they should be."""


@dataclass(frozen=True)
class Predictions:
    """What a model said of a set.

    Attributes:
        ids: of the utterances, length n.
        truth: class indices, shape (n,).
        probabilities: shape (n, classes).
        classes: their names.
    """

    ids: Sequence[str]
    truth: np.ndarray
    probabilities: np.ndarray
    classes: tuple[str, ...]

    @property
    def predicted(self) -> np.ndarray:
        """The most probable class of each utterance, shape (n,)."""
        return self.probabilities.argmax(axis=1)

    @property
    def confusion(self) -> np.ndarray:
        """Shape (classes, classes), the truth in rows."""
        return metrics.confusion(self.truth, self.predicted, len(self.classes))


def predictions_path(expdir: str | Path, split: str) -> Path:
    """Where the predictions on a set lie."""
    return Path(expdir) / f"predictions-{split}.csv"


def write_predictions(expdir: Path, split: str, source: Source, predictions: Predictions) -> None:
    """Write one CSV line an utterance, and the two text files that s3prl's emotion downstream writes."""
    entries = {entry.id: entry for entry in source.entries}
    names = predictions.classes
    with atomic_write(predictions_path(expdir, split)) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", "corpus", "speaker", "dialogue", "truth", "predicted", *(f"p_{name}" for name in names)])
        for i, utterance in enumerate(predictions.ids):
            entry = entries[utterance]
            labels = names[predictions.truth[i]], names[predictions.predicted[i]]
            shares = (f"{p:.6f}" for p in predictions.probabilities[i])
            writer.writerow([utterance, entry.corpus, entry.speaker or "", entry.dialogue or "", *labels, *shares])
    for kind, indices in (("predict", predictions.predicted), ("truth", predictions.truth)):
        with atomic_write(expdir / f"{split}_{kind}.txt") as file:
            file.writelines(f"{i} {names[k]}\n" for i, k in zip(predictions.ids, indices, strict=True))


@dataclass(frozen=True)
class Test:
    """A test as its CSV tells it.

    Attributes:
        predictions: what was said of each utterance.
        entries: which utterances they are, without their audio or text.
    """

    __test__ = False  # for pytest, which takes the name for a test

    predictions: Predictions
    entries: tuple[Entry, ...]


def read_predictions(expdir: str | Path, split: str) -> Test:
    """What `write_predictions` wrote of a set.

    Raises:
        ResultsError: if there is none, or if it is not what was written.
    """
    path = predictions_path(expdir, split)
    if not path.is_file():
        known = ", ".join(sorted(p.stem.removeprefix("predictions-") for p in Path(expdir).glob("predictions-*.csv")))
        raise ResultsError(f"{path}: missing, expected the predictions of a test; there are those on {known or 'none'}")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        classes = tuple(name.removeprefix("p_") for name in rows[0] if name.startswith("p_"))
        entries = tuple(
            Entry(r["id"], None, classes.index(r["truth"]), r["corpus"], r["speaker"] or None, r["dialogue"] or None)
            for r in rows
        )
        probabilities = np.array([[float(r[f"p_{name}"]) for name in classes] for r in rows])
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise ResultsError(f"{path}: expected the columns and values that a test writes: {error!r}") from None
    truth = np.array([entry.label for entry in entries])
    return Test(Predictions([entry.id for entry in entries], truth, probabilities, classes), entries)


def write_embeddings(expdir: Path, split: str, ids: Sequence[str], vectors: np.ndarray) -> None:
    """Write where a head's space has each utterance: the arrays ``ids`` and ``vectors`` of ``embeddings-SPLIT.npz``."""
    with atomic_write(expdir / f"embeddings-{split}.npz", "wb") as file:
        np.savez_compressed(file, ids=np.array(ids), vectors=vectors)


def write_report(
    expdir: Path, split: str, source: Source, predictions: Predictions, about: dict[str, Any]
) -> dict[str, Any]:
    """Add a set's report to ``results.json``, beside those of other sets, and return it."""
    of = {entry.id: i for i, entry in enumerate(source.entries)}
    groups, by = source.groups
    in_order = None if groups is None else [groups[of[utterance]] for utterance in predictions.ids]
    report = {
        **metrics.report(predictions.truth, predictions.predicted, predictions.classes, in_order),
        "intervals": f"95%, {metrics.BOOTSTRAPS} bootstraps by {by}",
        "corpora": sorted({entry.corpus for entry in source.entries}),
        "dropped": source.drops,
        **about,
    }
    results = read_results(expdir)
    results[split] = report
    with atomic_write(expdir / RESULTS) as file:
        json.dump(results, file, indent=2)
        file.write("\n")
    return report


def read_results(expdir: str | Path) -> dict[str, Any]:
    """The reports of an experiment folder by set; empty before the first test."""
    path = Path(expdir) / RESULTS
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def repetition(name: str, report: Mapping[str, Any]) -> str | None:
    """A warning where the utterances of a set say the same few things, from its report on text; no label is asked."""
    texts, utterances = report.get("texts", math.inf), report["utterances"]
    if texts * FEW > utterances:
        return None
    return f"warning: {name}: {utterances} utterances have {texts} texts: words can hardly tell their emotions apart"


def confusion_figure(predictions: Predictions) -> Figure:
    """The confusion matrix as a picture, rows normalised, counts written in."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from sklearn.metrics import ConfusionMatrixDisplay

    figure = Figure(figsize=(4, 4))  # a tight layout and a colour bar would double the time
    FigureCanvasAgg(figure)
    table = predictions.confusion
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    display = ConfusionMatrixDisplay(shares, display_labels=predictions.classes)
    display.plot(ax=figure.subplots(), cmap="Blues", values_format=".2f", colorbar=False, im_kw={"vmin": 0, "vmax": 1})
    return figure
