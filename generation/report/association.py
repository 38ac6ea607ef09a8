"""Whether one column of a corpus tells another, such as the scenario the label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from zero_shot_emotion.association import cramers_v


@dataclass(frozen=True)
class CrossTable:
    """How often values of two columns come together.

    Attributes:
        rows: values of the first column, sorted.
        columns: values of the second column, sorted.
        counts: of each row, by column.
        v: Cramér's V, from 0 (the row says nothing of the column) to 1 (it tells it); None if either has one value.
        v_by_chance: what V is expected to be for independent columns of this size.
    """

    rows: list[str]
    columns: list[str]
    counts: list[list[int]]
    v: float | None
    v_by_chance: float | None


def cross_table(pairs: Iterable[tuple[str, str]]) -> CrossTable:
    """Count pairs of values, and measure how far one value tells the other."""
    counter = Counter(pairs)
    rows, columns = (sorted({pair[k] for pair in counter}) for k in (0, 1))
    counts = np.array([[counter[row, column] for column in columns] for row in rows], dtype=np.int64)
    if min(len(rows), len(columns)) < 2:
        return CrossTable(rows, columns, counts.tolist(), None, None)
    freedom = (len(rows) - 1) * (len(columns) - 1)
    chance = np.sqrt(freedom / ((counts.sum() - 1) * (min(counts.shape) - 1)))
    return CrossTable(rows, columns, counts.tolist(), cramers_v(counts), min(1.0, float(chance)))
