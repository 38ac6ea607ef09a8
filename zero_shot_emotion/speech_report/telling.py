"""How well the sound tells the class, by a classifier that is tested on voices which it has never heard."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..metrics import ALPHA, BOOTSTRAPS, Interval, confusion, recalls, uar

Array = npt.NDArray[np.float64]
Classes = npt.NDArray[np.int64]

FOLDS = 5
SHUFFLES = 99
LEVEL = 0.05
"""Of significance."""


@dataclass(frozen=True)
class Told:
    """How well something tells the class.

    Attributes:
        uar: unweighted average recall, cross-validated, with its interval over voices.
        recall: of each class.
        shuffled: mean UAR where the labels were shuffled.
        p: share of shuffles that reach ``uar``, this one counted: not below 1 / (1 + SHUFFLES).
        above_chance: whether both say so, the shuffles and the interval.
    """

    uar: Interval
    recall: dict[str, float]
    shuffled: float
    p: float
    above_chance: bool


def tell(features: Array, labels: npt.NDArray[np.str_], groups: list[str], seed: int = 0) -> Told | None:
    """How well features tell the class.

    Args:
        features: shape (utterances, k), none missing.
        labels: of each utterance.
        groups: no voice is both learnt from and tested on.
        seed: of folds and shuffles.

    Returns:
        None where nothing varies, or where classes or voices are too few for two folds.
    """
    names, truth = np.unique(labels, return_inverse=True)
    folds = split(truth, groups, seed)
    if features.shape[1] == 0 or len(names) < 2 or not folds:
        return None
    model = Folds(features, folds)
    predicted = model.predict(truth)
    found = _over_voices(truth, predicted, len(names), groups, seed)
    rng = np.random.default_rng(seed)
    shuffled = []
    for _ in range(SHUFFLES):
        mixed = rng.permutation(truth)
        shuffled.append(uar(confusion(mixed, model.predict(mixed), len(names))))
    p = (1 + sum(score >= found.value for score in shuffled)) / (1 + SHUFFLES)
    recall = recalls(confusion(truth, predicted, len(names)))
    return Told(
        found,
        dict(zip(names.tolist(), recall.tolist(), strict=True)),
        float(np.mean(shuffled)),
        p,
        bool(p <= LEVEL and found.low > 1 / len(names)),
    )


def _over_voices(truth: Classes, predicted: Classes, classes: int, groups: list[str], seed: int) -> Interval:
    """UAR with its bootstrap interval over whole voices.

    `zero_shot_emotion.metrics.interval` draws utterances within each voice, too, and takes seconds where voices are
    many; here a page needs dozens of intervals.
    """
    names, of = np.unique(groups, return_inverse=True)
    tables = np.zeros((len(names), classes, classes))
    np.add.at(tables, (of, truth, predicted), 1)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), BOOTSTRAPS)
    counts = np.tensordot(drawn, tables, axes=1)
    support = counts.sum(axis=2)
    recall = np.divide(
        np.diagonal(counts, axis1=1, axis2=2), support, out=np.full_like(support, np.nan), where=support > 0
    )
    low, high = np.percentile(np.nanmean(recall, axis=1), [ALPHA / 2, 100 - ALPHA / 2])
    return Interval(uar(confusion(truth, predicted, classes)), float(low), float(high))


def split(truth: Classes, groups: list[str], seed: int) -> list[tuple[Classes, Classes]]:
    """Folds that share no group; none where there are too few groups, or utterances of a class."""
    from sklearn.model_selection import StratifiedGroupKFold

    count = min(FOLDS, len(set(groups)), int(np.bincount(truth).min()))
    if count < 2:
        return []
    folds = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    return list(folds.split(np.zeros(len(truth)), truth, groups))


class Folds:
    """Features whitened fold by fold, by what is learnt from; classes are found by the nearest of their means.

    Whitening takes the covariance of all that is learnt from, shrunk (Ledoit and Wolf 2004), and so knows no label:
    it is done once, however often the labels are shuffled. A rare class counts as much as a frequent one, and there is
    nothing to tune.
    """

    def __init__(self, features: Array, folds: list[tuple[Classes, Classes]]) -> None:
        self._folds = [(*fold, *_whitened(features[fold[0]], features[fold[1]])) for fold in folds]

    def predict(self, labels: Classes) -> Classes:
        """The class of each utterance, by a model that has not learnt from its fold."""
        return np.asarray(self.scores(labels).argmax(axis=1))

    def scores(self, labels: Classes) -> Array:
        """How near each utterance is to each class, shape (utterances, classes)."""
        classes = int(labels.max()) + 1
        scores = np.full((len(labels), classes), -np.inf)
        for train, test, learnt, tested in self._folds:
            seen = np.unique(labels[train])
            means = np.stack([learnt[labels[train] == c].mean(axis=0) for c in seen])
            scores[np.ix_(test, seen)] = tested @ means.T - (means**2).sum(axis=1) / 2
        return scores


def _whitened(train: Array, test: Array) -> tuple[Array, Array]:
    from sklearn.covariance import ledoit_wolf

    centre, scale = train.mean(axis=0), np.maximum(train.std(axis=0), 1e-9)
    train, test = (train - centre) / scale, (test - centre) / scale
    values, vectors = np.linalg.eigh(ledoit_wolf(train, assume_centered=True)[0])
    whitening = vectors / np.sqrt(np.maximum(values, 1e-6))
    return train @ whitening, test @ whitening
