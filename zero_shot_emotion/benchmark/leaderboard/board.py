"""All that a leaderboard shows, read from a folder of results: what the terminal, the CSV and the page draw."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from ...errors import UserError
from ...metrics import METRICS
from ..row import UNDRAWN, Row, read_rows
from ..statistics import Mean
from .differing import Differing, differing
from .entry import BOUND, CONTROLS, Entry, Task, entries, league
from .predictions import Told, read_told
from .scoring import AT_A_TIME, Comparison, comparisons, means

RANKED_BY = "UAR"


class LeaderboardError(UserError, ValueError):
    """Results of which no leaderboard can be made."""


@dataclass(frozen=True)
class Line:
    """An entry and its scores by metric."""

    entry: Entry
    scores: dict[str, Mean]

    @property
    def row(self) -> Row:
        return self.entry.first


@dataclass(frozen=True)
class Table:
    """The entries whose numbers may stand side by side.

    Attributes:
        name: of the target; with a number where the folder holds several states of one target.
        task: what the entries have in common.
        lines: competitors, then the upper bound, then controls; the best of each first.
        comparisons: with the baseline.
    """

    name: str
    task: Task
    lines: tuple[Line, ...]
    comparisons: tuple[Comparison, ...] = ()

    @cached_property
    def support(self) -> np.ndarray:
        """Utterances of each class, shape (classes,)."""
        return np.sum(self.lines[0].row.test.confusion, axis=1)

    @property
    def chance(self) -> dict[str, float]:
        """What guessing each class as often gives: the same UAR and WA; macro-F1 depends on the target."""
        share = 1 / len(self.task.labels)
        return {"UAR": share, "WA": share}

    @cached_property
    def majority(self) -> dict[str, float]:
        """What always saying the commonest class gives, by metric."""
        always = np.zeros((len(self.support), len(self.support)), dtype=np.int64)
        always[:, int(self.support.argmax())] = self.support
        return {name: metric(always) for name, metric in METRICS.items()}

    def is_best(self, line: Line, metric: str) -> bool:
        """Whether no other competitor under the same protocol scores higher."""
        if not line.entry.competes:
            return False
        rivals = [
            other.scores[metric].value
            for other in self.lines
            if other.entry.competes and league(other.row) == league(line.row)
        ]
        return line.scores[metric].value >= max(rivals)


@dataclass(frozen=True)
class Board:
    """A folder of results.

    Attributes:
        folder: where it lies.
        rows: all of them.
        tables: one a target, more where its states differ.
        differing: in what rows differ that must not differ to be compared.
        baseline: the source that others are compared with.
    """

    folder: Path
    rows: tuple[Row, ...]
    tables: tuple[Table, ...]
    differing: tuple[Differing, ...]
    baseline: str | None

    @property
    def lines(self) -> list[Line]:
        return [line for table in self.tables for line in table.lines]

    @property
    def benchmarks(self) -> list[str]:
        return sorted({row.benchmark for row in self.rows})

    @property
    def contributors(self) -> list[str]:
        return sorted({row.contributor for row in self.rows if row.contributor})

    @cached_property
    def varied(self) -> tuple[str, ...]:
        """The keys of the protocols that are not the same everywhere; what needs no training follows none."""
        protocols = [row.protocol for row in self.rows if row.source_kind not in UNDRAWN]
        keys = sorted({key for protocol in protocols for key in protocol})
        return tuple(key for key in keys if len({repr(protocol.get(key)) for protocol in protocols}) > 1)


def load_board(folder: str | Path, baseline: str | None = None) -> Board:
    """Read results and put them together.

    Args:
        folder: of results.
        baseline: a source; every other is compared with it where all else is the same.

    Raises:
        LeaderboardError: if there are no results, or none of the baseline.
        RowError: as `read_rows` does.
    """
    folder = Path(folder)
    rows = read_rows(folder)
    if not rows:
        raise LeaderboardError(f"{folder}: holds no results, expected results.jsonl with a row a line")
    sources = sorted({row.source for row in rows})
    if baseline is not None and baseline not in sources:
        raise LeaderboardError(f"--baseline: got {baseline!r}, expected one of {', '.join(sources)}")
    told = {row.id: read_told(folder, row) for row in rows}
    tables = _tables(rows, told, baseline)
    tested = [told[row.id].tested for row in rows]
    return Board(folder, tuple(rows), tables, tuple(differing(rows, tested)), baseline)


def _tables(rows: Sequence[Row], told: dict[str, Told], baseline: str | None) -> tuple[Table, ...]:
    by_task: dict[Task, list[Row]] = {}
    for row in rows:
        by_task.setdefault(_task(row, told[row.id]), []).append(row)
    targets = [task.target for task in by_task]
    tables = []
    for place, (task, of_task) in enumerate(by_task.items()):
        several = targets.count(task.target) > 1
        name = f"{task.target} ({targets[: place + 1].count(task.target)})" if several else task.target
        tables.append(Table(name, task, _lines(entries(of_task), told)))
    return tuple(tables if baseline is None else _compared(tables, told, baseline))


def _task(row: Row, told: Told) -> Task:
    return Task(row.target, row.labels, row.fingerprints.get(row.target, ""), told.tested, row.test.grouped_by)


def _lines(found: Sequence[Entry], told: dict[str, Told]) -> tuple[Line, ...]:
    """The entries of a task with their scores; some at a time, to bound memory."""
    lines: list[Line] = []
    for start in range(0, len(found), AT_A_TIME):
        part = found[start : start + AT_A_TIME]
        lines += [Line(entry, scores) for entry, scores in zip(part, means(part, told), strict=True)]
    return tuple(sorted(lines, key=_place))


def _compared(tables: Sequence[Table], told: dict[str, Told], baseline: str) -> list[Table]:
    """The tables with all comparisons; those of all tables are one family."""
    found = comparisons([[line.entry for line in table.lines] for table in tables], told, baseline)
    return [replace(table, comparisons=tuple(own)) for table, own in zip(tables, found, strict=True)]


def _place(line: Line) -> tuple[int, float, str]:
    """Competitors first, the upper bound, then the controls; within each the best first."""
    ranks = {BOUND: 1, **{kind: 2 + k for k, kind in enumerate(CONTROLS)}}
    protocol = json.dumps(line.row.protocol, sort_keys=True)
    return ranks.get(line.row.source_kind, 0), -line.scores[RANKED_BY].value, protocol
