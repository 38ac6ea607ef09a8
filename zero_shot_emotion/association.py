"""How far one category tells another, such as the voice the label: Cramér's V, and what chance makes of it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.integer[Any]]

EQUAL = 1e-9
"""Values of V that differ by less are the same: what differs is the order of a sum."""


class Chance(NamedTuple):
    """What is left of Cramér's V where labels are shuffled: its mean, and the share of shuffles that reach it."""

    mean: float
    p: float


def cross_table(rows: Integers, columns: Integers) -> Integers:
    """How often two categories come together.

    Args:
        rows: the first category of each item, from 0 on, shape (items,).
        columns: the second one, shape (items,).

    Returns:
        counts, shape (categories, categories).
    """
    shape = int(rows.max()) + 1, int(columns.max()) + 1
    return np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1]).reshape(shape)


def cramers_v(table: Integers) -> float:
    """Cramér's V of a table of counts without empty rows or columns, from 0 (a row says nothing) to 1 (it says all).

    >>> cramers_v(np.array([[5, 0], [0, 5]])), cramers_v(np.array([[5, 5], [5, 5]]))
    (1.0, 0.0)
    """
    from scipy.stats.contingency import association

    return float(association(table, method="cramer"))


def by_chance(v: float, rows: Integers, columns: Integers, shuffles: int, seed: int) -> Chance:
    """What Cramér's V is where one of two categories is shuffled, again and again.

    Args:
        v: without shuffling.
        rows: the first category of each item, from 0 on, shape (items,); in any order.
        columns: the second one, shape (items,); in any order.
        shuffles: how many.
        seed: of the shuffles.
    """
    rng = np.random.default_rng(seed)
    found = np.array([cramers_v(cross_table(rows, rng.permutation(columns))) for _ in range(shuffles)])
    return Chance(float(found.mean()), (1 + int((found >= v - EQUAL).sum())) / (1 + shuffles))
