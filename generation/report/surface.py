"""What the surface of a text gives away: punctuation by label, and a classifier that sees no word."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from zero_shot_emotion.metrics import confusion, uar

from .words import words

MARKS = {
    "exclamation": ("!", re.compile("!")),
    "question": ("?", re.compile(r"\?")),
    "ellipsis": ("...", re.compile(r"\.\.\.")),
    "dash": ("-", re.compile("[\u2013\u2014]|\\s-|--|-$")),
    "comma": (",", re.compile("[,\u3001]")),
}
"""Each mark with how it is shown and what counts as one in NFKC. A dash interrupts; a hyphen in a word is none."""

FOLDS = 5
MOST = 10_000
"""A larger corpus is sampled."""


@dataclass(frozen=True)
class Guess:
    """How well something tells the label.

    Attributes:
        uar: unweighted average recall of a cross-validated logistic regression.
        folds: the same within each fold, to show how sure it is.
        chance: UAR of guessing.
        utterances: that were guessed.
        grouped_by: what no two folds share: ``dialogue`` or ``utterance``.
    """

    uar: float
    folds: list[float]
    chance: float
    utterances: int
    grouped_by: str


def has_mark(text: str, mark: str) -> bool:
    """Whether a text holds one of `MARKS`.

    >>> has_mark("You wh- No...", "ellipsis")
    True
    """
    return MARKS[mark][1].search(unicodedata.normalize("NFKC", text)) is not None


def mark_shares(labelled: Iterable[tuple[str, str]]) -> dict[str, dict[str, float]]:
    """The share of each label's texts that hold each mark, by label and mark."""
    by_label: dict[str, list[str]] = {}
    for label, text in labelled:
        by_label.setdefault(label, []).append(text)
    return {
        label: {mark: sum(has_mark(text, mark) for text in by_label[label]) / len(by_label[label]) for mark in MARKS}
        for label in sorted(by_label)
    }


def surface_features(text: str) -> list[float]:
    """Lengths and counts of marks: all that can be seen without reading."""
    plain = unicodedata.normalize("NFKC", text)
    counts = [len(pattern.findall(plain)) for _, pattern in MARKS.values()]
    return [len(words(text)), len(text), *counts, text.count(".") + text.count("\u3002")]


def guess_from_surface(labelled: Sequence[tuple[str, str, str | None]], seed: int = 0) -> Guess | None:
    """How well length and punctuation alone tell the label; None where two folds cannot be made.

    Args:
        labelled: label, text and dialogue of each utterance. No dialogue is both learnt and guessed; where any is
            unknown, each utterance stands alone.
        seed: of the sample and the folds.
    """
    if len(labelled) > MOST:
        chosen = np.sort(np.random.default_rng(seed).choice(len(labelled), MOST, replace=False))
        labelled = [labelled[k] for k in chosen]
    if not labelled:
        return None
    labels, texts, dialogues = zip(*labelled, strict=True)
    names, truth = np.unique(labels, return_inverse=True)
    grouped = all(dialogues)
    groups = np.unique(dialogues if grouped else range(len(texts)), return_inverse=True)[1]
    folds = min(FOLDS, len(np.unique(groups)), np.bincount(truth).min())
    if folds < 2 or len(names) < 2:
        return None
    features = np.log1p([surface_features(text) for text in texts])
    tables = _cross_validate(features, truth, groups, folds, seed)
    if tables is None:
        return None
    by = "dialogue" if grouped else "utterance"
    return Guess(uar(np.sum(tables, axis=0)), [uar(table) for table in tables], 1 / len(names), len(texts), by)


def _cross_validate(
    features: np.ndarray, truth: np.ndarray, groups: np.ndarray, folds: int, seed: int
) -> list[np.ndarray] | None:
    """The confusion matrix of each fold; None where a fold leaves one label alone to learn from."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classes = int(truth.max()) + 1
    tables = []
    for train, test in StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(features, truth, groups):
        if len(np.unique(truth[train])) < 2:
            return None
        model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
        model.fit(features[train], truth[train])
        tables.append(confusion(truth[test], model.predict(features[test]), classes))
    return tables
