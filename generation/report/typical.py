"""The words that are typical of each label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

PRIOR = 500.0
"""How many words the prior weighs: large enough that a word which occurs twice is typical of nothing."""


@dataclass(frozen=True)
class TypicalWord:
    """A word, how often it occurs under a label and elsewhere, and how surely it is more frequent there.

    ``z`` is the log-odds ratio in standard deviations; 1.96 is reached by chance by one word in forty.
    """

    word: str
    here: int
    elsewhere: int
    z: float


def typical_words(labelled: Iterable[tuple[str, Sequence[str]]], most: int = 12) -> dict[str, list[TypicalWord]]:
    """The most typical words of each label, the most typical first.

    Log-odds with an informative Dirichlet prior: B. L. Monroe, M. P. Colaresi and K. M. Quinn, "Fightin' words",
    Political Analysis 16, 2008. The prior is the whole corpus, scaled to `PRIOR` words.

    Args:
        labelled: the label and the words of each utterance.
        most: how many words of each label; only those with a positive ``z``.
    """
    counts: dict[str, Counter[str]] = {}
    for label, line in labelled:
        counts.setdefault(label, Counter()).update(line)
    everything = sum(counts.values(), Counter())
    vocabulary = sorted(everything)
    total = np.array([everything[word] for word in vocabulary], dtype=float)
    found: dict[str, list[TypicalWord]] = {label: [] for label in sorted(counts)}
    for label in found if len(vocabulary) > 1 else ():
        here = np.array([counts[label][word] for word in vocabulary], dtype=float)
        z = log_odds(here, total - here, total)
        best = np.argsort(-z, kind="stable")[:most]
        found[label] = [
            TypicalWord(vocabulary[k], int(here[k]), int(total[k] - here[k]), float(z[k])) for k in best if z[k] > 0
        ]
    return found


def log_odds(here: np.ndarray, elsewhere: np.ndarray, background: np.ndarray) -> np.ndarray:
    """The z-score of each word's log-odds ratio between two sets of texts.

    Args:
        here: counts of each word in the one.
        elsewhere: counts of each word in the other.
        background: counts of each word that the prior is made of, positive.
    """
    prior = PRIOR * background / background.sum()
    one, other = here + prior, elsewhere + prior
    ratio = np.log(one / (one.sum() - one)) - np.log(other / (other.sum() - other))
    return ratio / np.sqrt(1 / one + 1 / other)
