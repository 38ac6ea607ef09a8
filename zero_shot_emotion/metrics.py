"""Metrics of speech emotion recognition: pure functions over all predictions of a test at once.

Classes are integers from 0; the number of classes is given, never guessed from the data. A class that
the truth does not hold has no recall: UAR and macro-F1 average over the classes that the truth holds,
as scikit-learn's ``balanced_accuracy_score`` does.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Labels = npt.ArrayLike
"""Class indices, shape (utterances,)."""

BOOTSTRAPS = 1000
ALPHA = 5.0
"""Per cent outside the interval: 95% intervals."""


def confusion(truth: Labels, predicted: Labels, classes: int) -> npt.NDArray[np.int64]:
    """Counts with the truth in rows and the prediction in columns, shape (classes, classes).

    Raises:
        ValueError: on unequal lengths, no utterances, or an index out of range.
    """
    truth, predicted = np.asarray(truth, dtype=np.int64), np.asarray(predicted, dtype=np.int64)
    if truth.shape != predicted.shape or truth.ndim != 1 or len(truth) == 0:
        raise ValueError(
            f"expected two equally long, non-empty lists of classes, got shapes {truth.shape} and {predicted.shape}"
        )
    for name, values in (("truth", truth), ("predicted", predicted)):
        if values.min() < 0 or values.max() >= classes:
            raise ValueError(f"{name}: expected classes from 0 to {classes - 1}, got {values.min()} to {values.max()}")
    return np.bincount(truth * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def recalls(table: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Recall of each class from a confusion matrix; NaN for a class that the truth does not hold."""
    support = table.sum(axis=1)
    return np.divide(np.diag(table), support, out=np.full(len(table), np.nan), where=support > 0)


def uar(table: npt.NDArray[np.int64]) -> float:
    """Unweighted average recall (UA, balanced accuracy)."""
    return float(np.nanmean(recalls(table)))


def wa(table: npt.NDArray[np.int64]) -> float:
    """Weighted accuracy (WA): the share of utterances that are right."""
    return float(np.trace(table) / table.sum())


def macro_f1(table: npt.NDArray[np.int64]) -> float:
    """Mean over classes of the harmonic mean of precision and recall."""
    support = table.sum(axis=1)
    f1 = 2 * np.diag(table) / np.maximum(support + table.sum(axis=0), 1)
    return float(f1[support > 0].mean())


METRICS: dict[str, Callable[[npt.NDArray[np.int64]], float]] = {"UAR": uar, "WA": wa, "macro-F1": macro_f1}
"""The headline metrics, from a confusion matrix."""


@dataclass(frozen=True)
class Interval:
    """A value with its bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def interval(
    metric: str, truth: Labels, predicted: Labels, classes: int, groups: Sequence[Hashable] | None = None
) -> Interval:
    """A metric with its 95% bootstrap interval; whole groups (speakers, dialogues) are drawn where given.

    Resampling is that of the package ``confidence_intervals`` (Ferrer & Riera), whose own numbers these are where nothing
    is grouped. Where groups are drawn, each has draws of its own; the package's ``evaluate_with_conf_int`` starts its
    generator anew for every group, so that groups of one size draw the same positions.

    Raises:
        ValueError: as `confusion` does, and unless there is one group for each utterance.
    """
    return _interval(metric, confusion(truth, predicted, classes), _bootstraps(truth, predicted, classes, groups))


def _interval(metric: str, table: npt.NDArray[np.int64], bootstraps: list[npt.NDArray[np.int64]]) -> Interval:
    score = METRICS[metric]
    low, high = np.percentile([score(bootstrap) for bootstrap in bootstraps], [ALPHA / 2, 100 - ALPHA / 2])
    return Interval(score(table), float(low), float(high))


def _bootstraps(
    truth: Labels, predicted: Labels, classes: int, groups: Sequence[Hashable] | None
) -> list[npt.NDArray[np.int64]]:
    """The confusion matrix of each bootstrap set: groups are drawn, then utterances within each that was."""
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    if groups is not None and len(groups) != len(truth):
        raise ValueError(f"groups: expected one for each of {len(truth)} utterances, got {len(groups)}")
    numbers = None if groups is None else np.unique(np.asarray(groups, dtype=str), return_inverse=True)[1]
    cells = np.eye(classes * classes, dtype=np.float32)[truth * classes + predicted]
    tables = np.rint(_draws(len(truth), None if numbers is None else numbers.tobytes(), BOOTSTRAPS) @ cells)
    return list(tables.astype(np.int64).reshape(-1, classes, classes))


@lru_cache(maxsize=4)
def _draws(utterances: int, groups: bytes | None, bootstraps: int) -> npt.NDArray[np.float32]:
    """How often each bootstrap set holds each utterance, shape (bootstraps, utterances).

    Drawing costs far more than counting and does not depend on what was predicted: all tests on a target share it.
    """
    from confidence_intervals import get_bootstrap_indices
    from sklearn import config_context

    numbers = None if groups is None else np.frombuffer(groups, dtype=np.intp)
    counts = np.zeros((bootstraps, utterances), dtype=np.float32)
    with config_context(skip_parameter_validation=True):  # half of the time, for a call that is always the same
        for seed in range(bootstraps):
            # A generator, not its seed: with a seed, all groups of one size would draw the same positions.
            drawn = get_bootstrap_indices(utterances, numbers, random_state=np.random.RandomState(seed))
            counts[seed] = np.bincount(drawn, minlength=utterances)
    return counts


def report(
    truth: Labels, predicted: Labels, classes: Sequence[str], groups: Sequence[Hashable] | None = None
) -> dict[str, Any]:
    """Everything a results file says of one test, ready for JSON.

    Args:
        truth: class indices.
        predicted: class indices.
        classes: their names.
        groups: of each utterance, for the intervals; None draws utterances.

    Returns:
        ``utterances``; each headline metric with ``value``, ``low`` and ``high``; ``recall`` of each class
        (None where the truth has none of it); ``confusion`` with the truth in rows.
    """
    table = confusion(truth, predicted, len(classes))
    bootstraps = _bootstraps(truth, predicted, len(classes), groups)
    metrics = {name: asdict(_interval(name, table, bootstraps)) for name in METRICS}
    recall = {name: None if np.isnan(r) else float(r) for name, r in zip(classes, recalls(table), strict=True)}
    return {
        "utterances": int(table.sum()),
        **metrics,
        "recall": recall,
        "confusion": {"classes": list(classes), "rows are truth": table.tolist()},
    }
