"""How far a corpus lies from real speech, in all and class by class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .features import ALL, CEPSTRUM, FEATURES, SPEECH, SPEECH_FEATURES
from .measuring import Measured, usable
from .telling import Folds, split

Array = npt.NDArray[np.float64]

EVERY = "all classes"
NEUTRAL = "neu"


@dataclass(frozen=True)
class Realness:
    """A corpus beside a real one.

    Attributes:
        corpus: its name.
        real: the real one's.
        shifts: by class, and of all classes alike weighty: mean of each measure less the real mean, in standard
            deviations within the classes of both; None where either has none.
        auc: area under the ROC curve of telling the two apart, by what a classifier sees and by class; .5 is as good as
            real, 1 is told without fail. Voices that are tested were not learnt from.
        effects: correlation over measures of what a class does to speech against neutral, here and in the real corpus;
            by class.
    """

    corpus: str
    real: str
    shifts: dict[str, dict[str, float | None]]
    auc: dict[str, dict[str, float | None]]
    effects: dict[str, float | None]


def compare(corpus: Measured, real: Measured, seed: int = 0) -> Realness:
    """Hold a corpus against a real one, in the classes that both have."""
    classes = sorted(set(corpus.labels) & set(real.labels))
    shifts = {c: _shift(corpus, real, [c]) for c in classes}
    auc = {name: {c: _auc(corpus, real, name, [c], seed) for c in classes} for name in (ALL, SPEECH, CEPSTRUM)}
    for name in auc:
        auc[name] = {EVERY: _auc(corpus, real, name, classes, seed), **auc[name]}
    return Realness(
        corpus.name, real.name, {EVERY: _shift(corpus, real, classes), **shifts}, auc, _agreement(corpus, real, classes)
    )


def class_effects(measured: Measured) -> dict[str, dict[str, float | None]]:
    """What each class does to each measure, against neutral, in standard deviations within the classes."""
    labels = measured.labels
    if NEUTRAL not in labels:
        return {}
    classes = sorted(set(labels))
    spread = _within(measured, classes)
    neutral = _means(measured, [NEUTRAL])
    return {str(c): _named(_ratio(_means(measured, [c]) - neutral, spread)) for c in classes if c != NEUTRAL}


def _means(measured: Measured, classes: list[str]) -> Array:
    """Of each measure, each class alike weighty."""
    labels = measured.labels
    with np.errstate(all="ignore"):
        return np.mean([_nanmean(measured.matrix[labels == c]) for c in classes], axis=0)


def _within(measured: Measured, classes: list[str]) -> Array:
    """Standard deviation of each measure within the classes."""
    labels = measured.labels
    variances = [
        _nanmean((measured.matrix[labels == c] - _nanmean(measured.matrix[labels == c])) ** 2) for c in classes
    ]
    return np.sqrt(np.mean(variances, axis=0))


def _nanmean(values: Array) -> Array:
    """Over utterances, nan where none is known, without a warning."""
    known = ~np.isnan(values)
    return np.where(known, values, 0).sum(axis=0) / np.where(known.any(axis=0), known.sum(axis=0), np.nan)


def _shift(corpus: Measured, real: Measured, classes: list[str]) -> dict[str, float | None]:
    spread = np.sqrt((_within(corpus, classes) ** 2 + _within(real, classes) ** 2) / 2)
    return _named(_ratio(_means(corpus, classes) - _means(real, classes), spread))


def _ratio(difference: Array, spread: Array) -> Array:
    return np.divide(difference, spread, out=np.full(len(difference), np.nan), where=spread > 1e-9)


def _named(values: Array) -> dict[str, float | None]:
    return {f: None if np.isnan(v) else float(v) for f, v in zip(FEATURES, values, strict=True)}


def _agreement(corpus: Measured, real: Measured, classes: list[str]) -> dict[str, float | None]:
    here, there = class_effects(corpus), class_effects(real)
    found: dict[str, float | None] = {}
    for c in sorted(set(here) & set(there) & set(classes)):
        pairs = [(a, b) for f in SPEECH_FEATURES if (a := here[c][f]) is not None and (b := there[c][f]) is not None]
        varied = len(pairs) > 2 and all(np.std(side) > 0 for side in zip(*pairs, strict=True))
        found[c] = float(np.corrcoef(np.transpose(pairs))[0, 1]) if varied else None
    return found


def _auc(corpus: Measured, real: Measured, name: str, classes: list[str], seed: int) -> float | None:
    """Of a classifier that tells a synthetic from a real utterance."""
    from sklearn.metrics import roc_auc_score

    chosen = [np.isin(side.labels, classes) for side in (corpus, real)]
    features = usable(
        np.concatenate([_seen(side, name)[own] for side, own in zip((corpus, real), chosen, strict=True)])
    )
    domain = np.repeat([1, 0], [own.sum() for own in chosen])
    groups = [
        f"{k}/{group}"
        for k, (side, own) in enumerate(zip((corpus, real), chosen, strict=True))
        for group, mine in zip(side.groups[0], own, strict=True)
        if mine
    ]
    each = [len({g for g in groups if g.startswith(f"{k}/")}) for k in (0, 1)]
    folds = split(domain, groups, seed) if min(each) > 1 else []
    if not folds or features.shape[1] == 0:
        return None
    scores = Folds(features, folds).scores(domain)
    return float(roc_auc_score(domain, scores[:, 1] - scores[:, 0]))


def _seen(side: Measured, name: str) -> Array:
    if name == CEPSTRUM:
        return side.cepstra
    return np.stack([side.column(f) for f in (SPEECH_FEATURES if name == SPEECH else FEATURES)], axis=1)
