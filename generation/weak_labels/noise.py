"""Noise control: prior correction, and the filters that drop what is likely to be wrong. Functions of arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from .labeller import Array
from .settings import Noise

Mask = npt.NDArray[np.bool_]
LEAST = 1e-6
"""A prior counts as at least this, or a class that is never given would win wherever it is thinkable."""


def correct(scores: Array, prior: Array | None) -> Array:
    """Distributions divided by a prior, if there is one, and renormalised.

    >>> correct(np.array([[0.6, 0.4]]), np.array([0.75, 0.25])).round(2)
    array([[0.33, 0.67]])
    """
    if prior is None:
        return scores
    odds = scores / np.maximum(prior, LEAST)
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def margins(scores: Array) -> Array:
    """The probability of the likeliest class less that of the second, shape (turns,)."""
    two = np.sort(scores, axis=1)[:, -2:]
    return np.asarray(two[:, 1] - two[:, 0])


def entropies(scores: Array) -> Array:
    """In nats, shape (turns,)."""
    return np.asarray((scores * -np.log(np.maximum(scores, 1e-12))).sum(axis=1))


def control(
    noise: Noise, scores: Array, others: Mapping[str, Array], view: Array | None, ids: Sequence[str]
) -> tuple[Mask, dict[str, int]]:
    """Which utterances stay, and how many each step drops of those that the steps before left.

    Args:
        noise: the settings.
        scores: of the labels, corrected, shape (utterances, classes).
        others: of the other labellers; a row of NaN agrees with nothing.
        view: independent probabilities for confident learning; a row of NaN is not judged.
        ids: of the utterances, to break ties.
    """
    labels = scores.argmax(axis=1)
    kept = np.ones(len(scores), dtype=bool)
    drops: dict[str, int] = {}

    def drop(step: str, wrong: Mask) -> None:
        drops[step] = int((kept & wrong).sum())
        kept[wrong] = False

    confidence = scores.max(axis=1, initial=0)
    if noise.min_confidence:
        drop(f"confidence below {noise.min_confidence:g}", confidence < noise.min_confidence)
    if noise.min_margin:
        drop(f"margin below {noise.min_margin:g}", margins(scores) < noise.min_margin)
    if noise.agreement:
        for name, theirs in others.items():
            unanswered = np.isnan(theirs).any(axis=1)
            other = np.where(unanswered, -1, np.nan_to_num(theirs).argmax(axis=1))
            drop(f"{name} disagrees", other != labels)
    if noise.confident_learning and view is not None:
        drop("confident learning", _issues(labels, view, kept))
    if noise.per_class:
        order = sorted(np.flatnonzero(kept).tolist(), key=lambda i: (-confidence[i], ids[i]))
        wrong = np.zeros(len(scores), dtype=bool)
        for label in range(scores.shape[1]):
            wrong[[i for i in order if labels[i] == label][noise.per_class :]] = True
        drop(f"more than {noise.per_class} of a class", wrong)
    return kept, drops


def _issues(labels: npt.NDArray[np.int64], view: Array, kept: Mask) -> Mask:
    """What confident learning (Northcutt et al. 2021, by cleanlab) calls a label issue, among what is kept."""
    from cleanlab.filter import find_label_issues

    wrong = np.zeros(len(labels), dtype=bool)
    judged = np.flatnonzero(kept & ~np.isnan(view).any(axis=1))
    present = np.unique(labels[judged])
    if len(present) < 2:
        return wrong
    among = view[np.ix_(judged, present)]
    among = (among + LEAST) / (among + LEAST).sum(axis=1, keepdims=True)
    given = np.searchsorted(present, labels[judged])
    wrong[judged[find_label_issues(given, among, n_jobs=1)]] = True
    return wrong
