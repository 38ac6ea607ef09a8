"""How labels agree: labellers with each other, and weak labels with human ones where a corpus had them.

Human labels are looked at when all is decided; nothing is chosen by them.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from zero_shot_emotion.corpus import LabelSet
from zero_shot_emotion.corpus.labels import LabelError
from zero_shot_emotion.metrics import confusion, interval, uar, wa

from .labeller import Array

DECILES = 10
MOST_FOR_INTERVALS = 50_000
"""Utterances: a bootstrap holds a number for each, a thousand times."""


def kappa(one: Sequence[int], other: Sequence[int], classes: int) -> float | None:
    """Cohen's kappa; None where both only ever give one and the same class."""
    from sklearn.metrics import cohen_kappa_score

    if len(one) == 0 or len({*one, *other}) < 2:
        return None
    return round(float(cohen_kappa_score(one, other, labels=list(range(classes)))), 4)


def between_labellers(scores: Mapping[str, Array]) -> dict[str, dict[str, float | int | None]]:
    """Kappa and the share of equal labels for each pair of labellers, on the utterances that both label."""
    found = {}
    for one, other in combinations(scores, 2):
        both = ~(np.isnan(scores[one]).any(axis=1) | np.isnan(scores[other]).any(axis=1))
        a, b = scores[one][both].argmax(axis=1), scores[other][both].argmax(axis=1)
        equal = round(float((a == b).mean()), 4) if len(a) else None
        found[f"{one}, {other}"] = {
            "utterances": len(a),
            "kappa": kappa(a.tolist(), b.tolist(), scores[one].shape[1]),
            "equal": equal,
        }
    return found


def with_humans(
    human: Sequence[str | None],
    scores: Array,
    kept: npt.NDArray[np.bool_],
    labels: LabelSet,
    groups: Sequence[Hashable] | None,
) -> dict[str, Any] | None:
    """How weak labels compare with human ones; None where there are none that the taxonomy knows.

    Args:
        human: the corpus's own labels, None where there is none.
        scores: of the labeller, corrected.
        kept: by noise control.
        labels: brings human labels into the taxonomy.
        groups: of utterances, to be drawn whole in bootstraps.
    """
    truth = np.array([_index(label, labels) for label in human])
    known = np.flatnonzero(truth >= 0)
    if not len(known):
        return None
    predicted, confidence = scores.argmax(axis=1), scores.max(axis=1, initial=0)
    chosen = None if groups is None else np.asarray(groups, dtype=str)
    return {
        "labelled": _compared(truth, predicted, known, labels, chosen),
        "kept": _compared(truth, predicted, known[kept[known]], labels, chosen),
        "by_confidence": [
            {"confidence": round(float(confidence[tenth].mean()), 4), **_figures(truth, predicted, tenth, labels)}
            for tenth in np.array_split(known[np.argsort(confidence[known], kind="stable")], DECILES)
            if len(tenth)
        ],
    }


def _index(label: str | None, labels: LabelSet) -> int:
    if label is None:
        return -1
    try:
        name = labels.of(label)
    except LabelError:
        return -1
    return -1 if name is None else labels.classes.index(name)


Indices = npt.NDArray[np.int64]


def _figures(truth: Indices, predicted: Indices, rows: Indices, labels: LabelSet) -> dict[str, Any]:
    if not len(rows):
        return {"utterances": 0}
    table = confusion(truth[rows], predicted[rows], len(labels.classes))
    return {
        "utterances": len(rows),
        "UAR": round(uar(table), 4),
        "WA": round(wa(table), 4),
        "kappa": kappa(truth[rows].tolist(), predicted[rows].tolist(), len(labels.classes)),
    }


def _compared(
    truth: Indices, predicted: Indices, rows: Indices, labels: LabelSet, groups: npt.NDArray[np.str_] | None
) -> dict[str, Any]:
    figures = _figures(truth, predicted, rows, labels)
    if not 2 <= len(rows) <= MOST_FOR_INTERVALS:
        return figures
    drawn = None if groups is None or len(set(groups[rows])) < 2 else groups[rows].tolist()
    found = interval("UAR", truth[rows], predicted[rows], len(labels.classes), drawn)
    return {**figures, "UAR_95": [round(found.low, 4), round(found.high, 4)]}
