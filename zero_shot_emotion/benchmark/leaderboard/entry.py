"""Rows that are the same but for the seed: what one line of a leaderboard stands for."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..models import MODELS
from ..row import UNDRAWN, Row
from ..statistics import drawn_over

CONTROLS = ("synthetic-neutral", "label-only", "shuffled", "majority")
"""What a system must beat to have learnt anything of emotion in speech, or in text."""
BOUND = "in-domain"
"""What had labels of the target: no competitor."""


OF_SOURCE = ("share", "label prior", "folds")
"""Keys of a protocol that say what the source is: rows that differ in them alone compete."""


@dataclass(frozen=True, eq=False)
class Entry:
    """Rows of one system, source and target that differ in nothing but the seed.

    Attributes:
        rows: by seed; at least one.
    """

    rows: tuple[Row, ...]

    @property
    def first(self) -> Row:
        """Speaks for all in what they have in common."""
        return self.rows[0]

    @property
    def competes(self) -> bool:
        """Whether it is neither a control nor an upper bound."""
        return self.first.source_kind not in (*CONTROLS, BOUND)

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        return tuple(row.seed for row in self.rows)

    @cached_property
    def repeated(self) -> tuple[int, ...]:
        """Seeds with more than one row: their configs differ in what no column says."""
        return tuple(sorted({seed for seed in self.seeds if self.seeds.count(seed) > 1}))

    @property
    def lacks_seeds(self) -> bool:
        """Whether other seeds might give something else, and there is only one."""
        return len(set(self.seeds)) == 1 and self.first.source_kind not in UNDRAWN

    @property
    def interval_over(self) -> str:
        """What its intervals are drawn over: groups and seeds, or groups alone where there is one seed."""
        return drawn_over(self.first.test.grouped_by, len(set(self.seeds)))

    @cached_property
    def confusion(self) -> np.ndarray:
        """Counts over all seeds, the truth in rows, shape (classes, classes)."""
        return np.sum([row.test.confusion for row in self.rows], axis=0)

    @cached_property
    def recall(self) -> dict[str, float | None]:
        """Of each class, mean over seeds; None where the target has none of it."""
        means = {}
        for name in self.first.labels:
            values = [value for row in self.rows if (value := row.test.recall.get(name)) is not None]
            means[name] = float(np.mean(values)) if values else None
        return means

    @cached_property
    def layer_weights(self) -> tuple[float, ...] | None:
        """Mean over the seeds that have some; None where none has, or where they count the layers differently."""
        found = [row.layer_weights for row in self.rows if row.layer_weights]
        if not found or len({len(weights) for weights in found}) > 1:
            return None
        return tuple(float(weight) for weight in np.mean(found, axis=0))

    @cached_property
    def seconds(self) -> float | None:
        """What a row cost, mean over the seeds that say so."""
        costs = [(row.cost.features, row.cost.training, row.cost.testing) for row in self.rows]
        known = [sum(part for part in cost if part is not None) for cost in costs if any(p is not None for p in cost)]
        return float(np.mean(known)) if known else None


@dataclass(frozen=True, order=True)
class Task:
    """What two numbers must have in common to stand in one table.

    Attributes:
        target: its name.
        labels: the classes, in their order.
        fingerprint: of the target; empty where the rows do not say.
        tested: of the utterances and their labels, as the predictions hold them.
        grouped_by: what the bootstrap draws whole.
    """

    target: str
    labels: tuple[str, ...]
    fingerprint: str
    tested: str
    grouped_by: str


def entries(rows: Iterable[Row]) -> list[Entry]:
    """Rows of one task put together over seeds, in the order in which they first occur."""
    found: dict[Hashable, list[Row]] = {}
    for row in rows:
        found.setdefault(entry_key(row), []).append(row)
    return [Entry(tuple(sorted(same, key=lambda row: row.seed))) for same in found.values()]


def entry_key(row: Row) -> Hashable:
    """What rows of a task must have in common to differ in nothing but the seed."""
    protocol = json.dumps(row.protocol, sort_keys=True)
    return row.contributor, peer_key(row), row.source, row.source_kind, protocol


def peer_key(row: Row) -> Hashable:
    """What two rows of a task must have in common for the one to be the other's baseline, whoever ran it."""
    models = json.dumps(row.config.get(MODELS, {}), sort_keys=True)  # one name may stand for several checkpoints
    return row.benchmark, row.modality, row.system, row.head, models


def target_key(row: Row) -> Hashable:
    """A state of a target in some classes, be it tested whole or in part."""
    return row.target, row.labels, row.fingerprints.get(row.target)


def league(row: Row) -> Hashable:
    """What rows of a task must have in common for one of them to be called the best."""
    return json.dumps({key: value for key, value in row.protocol.items() if key not in OF_SOURCE}, sort_keys=True)


def protocol_difference(row: Row, other: Row) -> dict[str, tuple[object, object]]:
    """The keys in which two protocols differ, with both values; None where a protocol does not say.

    What needs no training has no say in how others are trained.
    """
    keys = sorted({*row.protocol, *other.protocol})
    for one in (row, other):
        keys = [key for key in keys if one.source_kind not in UNDRAWN or key in one.protocol]
    pairs = {key: (row.protocol.get(key), other.protocol.get(key)) for key in keys}
    return {key: values for key, values in pairs.items() if values[0] != values[1]}
