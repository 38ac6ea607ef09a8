"""All numbers of a speech report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .. import __version__
from ..corpus import LabelSet
from .features import FEATURES, SETS
from .measuring import Measured
from .realness import Realness, class_effects, compare
from .telling import FOLDS, Told, tell
from .voices import VoiceLabel, voice_label

QUANTILES = (10, 25, 50, 75, 90)


@dataclass(frozen=True)
class Spread:
    """A measure within a class: how many utterances have it, their mean, and the percentiles of `QUANTILES`."""

    count: int
    mean: float
    quantiles: list[float]


@dataclass(frozen=True)
class CorpusInNumbers:
    """What a corpus sounds like.

    Attributes:
        name: of the corpus.
        real: whether it is one of the real ones.
        neutral: whether it was spoken without emotion, so that nothing may tell the class.
        utterances: that were measured.
        hours: of speech.
        counts: utterances by class.
        drops: what was left out, by reason.
        voices_by: what column tells its voices apart.
        spreads: of each measure, by class, in its unit.
        effects: what each class does to each measure, against neutral, in standard deviations within the classes.
        told: how well each of `SETS` tells the class; None where it cannot be said.
        voice_label: how far the voice tells the class; None where it cannot be said.
    """

    name: str
    real: bool
    neutral: bool
    utterances: int
    hours: float
    counts: dict[str, int]
    drops: dict[str, int]
    voices_by: str
    spreads: dict[str, dict[str, Spread]]
    effects: dict[str, dict[str, float | None]]
    told: dict[str, Told | None]
    voice_label: VoiceLabel | None


@dataclass(frozen=True)
class SpeechReport:
    """Corpora side by side.

    Attributes:
        version: of this project.
        seed: of folds and shuffles.
        classes: in the order of the label set.
        folds: of the cross-validation, at most.
        corpora: the stages in the order given, then the real ones.
        realness: each stage beside each real corpus.
    """

    version: str
    seed: int
    classes: list[str]
    folds: int
    corpora: list[CorpusInNumbers]
    realness: list[Realness]


def make_report(stages: Sequence[Measured], real: Sequence[Measured], labels: LabelSet, seed: int = 0) -> SpeechReport:
    """Compare what was measured."""
    return SpeechReport(
        version=__version__,
        seed=seed,
        classes=list(labels.classes),
        folds=FOLDS,
        corpora=[_numbers(m, labels, k >= len(stages), seed) for k, m in enumerate((*stages, *real))],
        realness=[compare(stage, other, seed) for stage in stages for other in real],
    )


def _numbers(measured: Measured, labels: LabelSet, real: bool, seed: int) -> CorpusInNumbers:
    found = measured.labels
    groups, by = measured.groups
    return CorpusInNumbers(
        name=measured.name,
        real=real,
        neutral=measured.neutral and not real,
        utterances=len(measured.utterances),
        hours=float(np.exp(measured.column("seconds")).sum() / 3600),
        counts={c: int((found == c).sum()) for c in labels.classes if (found == c).any()},
        drops=measured.drops,
        voices_by=by,
        spreads={f: {c: s for c in labels.classes if (s := _spread(measured, f, c))} for f in FEATURES},
        effects=class_effects(measured),
        told={name: tell(measured.columns(name), found, groups, seed) for name in SETS},
        voice_label=voice_label(measured, seed),
    )


def _spread(measured: Measured, feature: str, label: str) -> Spread | None:
    values = measured.column(feature)[measured.labels == label]
    values = values[~np.isnan(values)]
    if not len(values):
        return None
    values = np.exp(values) if FEATURES[feature].log else values
    return Spread(len(values), float(values.mean()), np.percentile(values, QUANTILES).tolist())
