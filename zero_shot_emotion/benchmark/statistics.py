"""Means over seeds, intervals, paired differences: pure functions over predictions of one target.

Resampling is that of the package ``confidence_intervals``, which the interval of a single row comes from
(`zero_shot_emotion.metrics`): groups (speakers, dialogues) are drawn, then utterances within each group that was drawn.
Here a bootstrap set is a vector of weights, how often each utterance was drawn, so that one draw serves all seeds and
all systems of a target at the price of a matrix product. That is what makes differences paired.

Both levels are kept, although drawing whole groups is the textbook's way: with the 10 speakers of an acted corpus it
gives intervals that hold the truth in less than 90 of 100 cases, while both levels give 92 to 99.

Each set draws seeds too, crossed with the groups, as Owen's pigeonhole bootstrap (2007) and the Multi-Bootstrap of
Sellam et al. (2022) do. To score the drawn seeds on the drawn groups would count the noise of each seed's answers three
times, as Owen says: once in what the seeds have scored, once in the groups, once in both. So a set is the mean over all
seeds on its groups, moved by how much its seeds are better than all of them on the whole target; that counts it twice.
A few seeds drawn plainly would give too little spread, by sqrt((S - 1) / S), and a normal's tails in place of Student's
(Hesterberg 2015); `seed_draws` makes up for both. One seed has no spread to draw from: then the interval holds that
over groups alone.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..metrics import ALPHA, Labels

Array = npt.NDArray[np.float64]

BOOTSTRAPS = 10_000
"""Enough for a p value that survives Holm's correction over a few dozen comparisons."""
CELLS = 4_000_000
"""Weights that are held at a time: bounds memory, whatever the target's size."""


def uar(tables: npt.NDArray[np.floating]) -> Array:
    """Unweighted average recall of each confusion matrix, shape (..., classes, classes) to (...); truth in rows."""
    support = tables.sum(axis=-1)
    present = support > 0
    recall = np.divide(_diagonal(tables), support, out=np.zeros(support.shape), where=present)
    return recall.sum(axis=-1) / present.sum(axis=-1)


def wa(tables: npt.NDArray[np.floating]) -> Array:
    """Weighted accuracy of each confusion matrix."""
    return _diagonal(tables).sum(axis=-1) / tables.sum(axis=(-2, -1))


def macro_f1(tables: npt.NDArray[np.floating]) -> Array:
    """F1 of each confusion matrix, averaged over the classes that the truth holds."""
    support = tables.sum(axis=-1)
    present = support > 0
    f1 = 2 * _diagonal(tables) / np.maximum(support + tables.sum(axis=-2), 1)
    return (f1 * present).sum(axis=-1) / present.sum(axis=-1)


METRICS: dict[str, Callable[[npt.NDArray[np.floating]], Array]] = {"UAR": uar, "WA": wa, "macro-F1": macro_f1}
"""Those of `zero_shot_emotion.metrics`, over many confusion matrices at once."""


def _diagonal(tables: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    return np.diagonal(tables, axis1=-2, axis2=-1)


def drawn_over(groups: str, seeds: int) -> str:
    """What an interval over so many seeds is drawn over, in words.

    >>> drawn_over("speaker", 5), drawn_over("speaker", 1)
    ('speaker and seed', 'speaker')
    """
    return f"{groups} and seed" if seeds > 1 else groups


@dataclass(frozen=True)
class Mean:
    """A metric over seeds: mean, standard deviation (None of one seed), 95% interval of the mean.

    The interval holds the spread over groups and that over seeds; of one seed, that over groups alone.
    """

    value: float
    sd: float | None
    low: float
    high: float
    seeds: int

    def __str__(self) -> str:
        spread = "" if self.sd is None else f" ± {self.sd:.3f}"
        return f"{self.value:.3f}{spread} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class Difference:
    """How much better one system is than another.

    Attributes:
        value: difference of the means over seeds.
        low: of its 95% interval.
        high: of its 95% interval.
        p: two-sided, of the bootstrap.
        seeds: of the one and of the other. The spread over the seeds of a side that has one is not in the interval.
    """

    value: float
    low: float
    high: float
    p: float
    seeds: tuple[int, int]


class Resampled:
    """The bootstrap distributions of several systems on one target, all from the same draws of groups.

    Systems of the same seeds share the draws of seeds as well: what a seed makes of a source is then the same for both
    and cancels in their difference. Of systems whose seeds differ, each draws its own.

    Args:
        truth: class indices, shape (utterances,).
        systems: by name the predictions of each run, shape (runs, utterances).
        classes: how many.
        groups: of each utterance; None draws utterances alone.
        metric: of `METRICS`.
        bootstraps: how many sets are drawn.
        seed: of the draws.
        seeds: by name that of each run; runs of one seed count as one, with the mean of their metrics. None takes a
            system's first run for its seed 0, and so on.

    Raises:
        ValueError: unless truth, predictions, groups and seeds are of the same utterances and runs, within the classes.
    """

    def __init__(
        self,
        truth: Labels,
        systems: Mapping[str, npt.ArrayLike],
        classes: int,
        groups: Sequence[Hashable] | None = None,
        metric: str = "UAR",
        bootstraps: int = BOOTSTRAPS,
        seed: int = 0,
        seeds: Mapping[str, Sequence[int]] | None = None,
    ) -> None:
        truths = np.asarray(truth, dtype=np.int64)
        stacked = {name: np.atleast_2d(np.asarray(runs, dtype=np.int64)) for name, runs in systems.items()}
        for name, runs in stacked.items():
            _check(name, truths, runs, classes)
        of_runs = {name: _seeds_of(name, runs, seeds) for name, runs in stacked.items()}
        # cell of the confusion matrix, (all runs, utterances)
        outcomes = truths * classes + np.concatenate(list(stacked.values()))
        score = METRICS[metric]
        observed = score(_tables(np.ones((1, len(truths)), dtype=np.float32), outcomes, classes))
        parts = weights(len(truths), groups, bootstraps, seed)
        drawn = np.concatenate([score(_tables(part, outcomes, classes)) for part in parts])
        self._observed: dict[str, Array] = {}
        self._drawn: dict[str, Array] = {}
        last = 0
        for name, own in of_runs.items():
            first, last = last, last + len(own)
            self._observed[name] = _by_seed(observed[:, first:last], own)[0]
            moved = _moves(self._observed[name], sorted(set(own)), bootstraps, seed)
            self._drawn[name] = _mean(_by_seed(drawn[:, first:last], own)) + moved

    def mean(self, name: str) -> Mean:
        """A system's mean over its seeds."""
        observed = self._observed[name]
        sd = float(observed.std(ddof=1)) if len(observed) > 1 else None
        low, high = _interval(self._drawn[name], 0.0, 1.0)
        return Mean(float(observed.mean()), sd, low, high, seeds=len(observed))

    def difference(self, name: str, other: str) -> Difference:
        """How much better a system's mean over seeds is than another's."""
        one, two = self._observed[name], self._observed[other]
        drawn = self._drawn[name] - self._drawn[other]
        tail = min((drawn <= 0).sum(), (drawn >= 0).sum())
        p = min(1.0, 2 * (tail + 1) / (len(drawn) + 1))
        low, high = _interval(drawn, -1.0, 1.0)
        return Difference(float(one.mean() - two.mean()), low, high, p=float(p), seeds=(len(one), len(two)))


def seed_draws(seeds: Sequence[int], bootstraps: int, seed: int) -> tuple[npt.NDArray[np.int64], Array]:
    """How often each bootstrap set draws each of a system's seeds, and by how much that is stretched.

    As many seeds as there are, with replacement. Their mean differs from the mean over all seeds by a variance that is
    (S - 1) / S of what it should be, and their spread is itself known from S values alone. So the difference is
    stretched by sqrt(S / q), where q is drawn from the chi-squared distribution of S - 1 degrees of freedom: a normal
    deviate stretched like that follows Student's t of S - 1 degrees, as the mean of a few seeds does. To take other
    percentiles instead (Hesterberg's expanded interval, 2015) would not do: no mean of the seeds that there are lies
    beyond the best of them, and two seeds agree in the sign of a difference every other time.

    The draws depend on the seeds' numbers: systems of the same seeds have the same.

    Returns:
        counts, shape (sets, seeds), and stretches, shape (sets, 1).
    """
    count = len(seeds)
    if count == 1:
        return np.ones((bootstraps, 1), dtype=np.int64), np.ones((bootstraps, 1))
    rng = np.random.default_rng([seed, count, *(number % 2**64 for number in seeds)])
    times = rng.multinomial(count, np.full(count, 1 / count), size=bootstraps)
    return times, np.sqrt(count / rng.chisquare(count - 1, size=(bootstraps, 1)))


def weights(
    utterances: int, groups: Sequence[Hashable] | None, bootstraps: int, seed: int
) -> Iterator[npt.NDArray[np.float32]]:
    """How often each bootstrap set draws each utterance, some sets at a time, shape (sets, utterances).

    As ``confidence_intervals.get_bootstrap_indices``: as many groups as there are, with replacement; the utterances of
    a group that was drawn, with replacement, once; each as often as its group was drawn.
    """
    rng = np.random.default_rng(seed)
    members = _members(utterances, groups)
    size = max(1, CELLS // utterances)
    for start in range(0, bootstraps, size):
        sets = min(size, bootstraps - start)
        times = np.ones((sets, 1), dtype=np.int64)
        if len(members) > 1:
            times = rng.multinomial(len(members), np.full(len(members), 1 / len(members)), size=sets)
        drawn = np.zeros((sets, utterances), dtype=np.float32)
        for column, own in enumerate(members):
            drawn[:, own] = times[:, [column]] * rng.multinomial(len(own), np.full(len(own), 1 / len(own)), size=sets)
        yield drawn


def holm(p_values: Sequence[float]) -> list[float]:
    """P values adjusted for a family of tests by Holm's method (1979), in the order in which they came."""
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def _members(utterances: int, groups: Sequence[Hashable] | None) -> list[npt.NDArray[np.int64]]:
    if groups is None:
        return [np.arange(utterances)]
    if len(groups) != utterances:
        raise ValueError(f"groups: expected one for each of {utterances} utterances, got {len(groups)}")
    numbers = np.unique(np.asarray(groups, dtype=str), return_inverse=True)[1]
    return [np.flatnonzero(numbers == number) for number in range(numbers.max() + 1)]


def _tables(drawn: npt.NDArray[np.float32], outcomes: npt.NDArray[np.int64], classes: int) -> Array:
    """Confusion matrices, shape (sets, systems, classes, classes), of weights (sets, utterances)."""
    cells = classes * classes
    tables = np.empty((len(drawn), len(outcomes), cells))
    for row, cell in enumerate(outcomes):
        tables[:, row] = drawn @ np.eye(cells, dtype=np.float32)[cell]
    return tables.reshape(len(drawn), len(outcomes), classes, classes)


def _seeds_of(name: str, runs: npt.NDArray[np.int64], seeds: Mapping[str, Sequence[int]] | None) -> Sequence[int]:
    own = range(len(runs)) if seeds is None else seeds[name]
    if len(own) != len(runs):
        raise ValueError(f"{name}: expected a seed for each of {len(runs)} runs, got {len(own)}")
    return own


def _by_seed(scores: Array, seeds: Sequence[int]) -> Array:
    """Means over the runs of each seed, shape (sets, runs) to (sets, seeds), in the order of the seeds."""
    runs = np.asarray(seeds)
    return np.stack([scores[:, runs == seed].mean(axis=1) for seed in sorted(set(seeds))], axis=1)


def _mean(scores: Array) -> Array:
    """Over seeds, from the first on: where nothing differs over seeds, not even the last bit may."""
    return scores[:, 0] + (scores - scores[:, :1]).mean(axis=1)


def _moves(scores: Array, seeds: Sequence[int], bootstraps: int, seed: int) -> Array:
    """By how much the seeds of each set are better than all, stretched; of scores (seeds,), shape (sets,)."""
    times, stretch = seed_draws(seeds, bootstraps, seed)
    return (stretch * (times - 1) * (scores - scores[0])).mean(axis=1)


def _interval(drawn: Array, least: float, most: float) -> tuple[float, float]:
    """Percentiles, within what is possible: a stretch may lead beyond."""
    low, high = np.clip(np.percentile(drawn, [ALPHA / 2, 100 - ALPHA / 2]), least, most)
    return float(low), float(high)


def _check(name: str, truth: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], classes: int) -> None:
    if truth.ndim != 1 or len(truth) == 0 or predicted.shape[1] != len(truth):
        raise ValueError(f"{name}: expected predictions of {len(truth)} utterances, got shape {predicted.shape}")
    for what, values in (("truth", truth), (name, predicted)):
        if values.min() < 0 or values.max() >= classes:
            raise ValueError(f"{what}: expected classes from 0 to {classes - 1}, got {values.min()} to {values.max()}")
