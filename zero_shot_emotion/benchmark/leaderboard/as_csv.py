"""The leaderboard as CSV: a line an entry, or a line a row."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from typing import IO

from ...metrics import METRICS
from ..row import Row
from ..statistics import drawn_over
from .board import Board, Line

WHAT = ("target", "modality", "system", "head", "source", "source_kind", "benchmark", "contributor")
COSTS = ("features", "training", "testing")


def write_entries(board: Board, file: IO[str]) -> int:
    """Write a line for each entry; the number of lines comes back."""
    return _write(file, (_entry(table.name, line) for table in board.tables for line in table.lines))


def write_each(board: Board, file: IO[str]) -> int:
    """Write a line for each row; the number of lines comes back."""
    return _write(file, map(_row, board.rows))


def _entry(table: str, line: Line) -> dict[str, object]:
    row, entry = line.row, line.entry
    scores: dict[str, object] = {}
    for metric in METRICS:
        score = line.scores[metric]
        scores |= {
            metric: score.value,
            f"{metric}_sd": score.sd,
            f"{metric}_low": score.low,
            f"{metric}_high": score.high,
        }
    return {
        "table": table,
        **{key: getattr(row, key) for key in WHAT},
        "protocol": json.dumps(row.protocol, sort_keys=True, ensure_ascii=False),
        "labels": " ".join(row.labels),
        "seeds": len(entry.rows),
        "seed_list": " ".join(map(str, entry.seeds)),
        "utterances": row.test.utterances,
        "interval_over": entry.interval_over,
        **scores,
        **{f"recall_{name}": value for name, value in entry.recall.items()},
        "seconds": entry.seconds,
        "ids": " ".join(each.id for each in entry.rows),
    }


def _row(row: Row) -> dict[str, object]:
    scores: dict[str, object] = {}
    for name, metric in row.test.metrics.items():
        scores |= {name: metric.value, f"{name}_low": metric.low, f"{name}_high": metric.high}
    return {
        "id": row.id,
        **{key: getattr(row, key) for key in WHAT},
        "protocol": json.dumps(row.protocol, sort_keys=True, ensure_ascii=False),
        "labels": " ".join(row.labels),
        "seed": row.seed,
        "utterances": row.test.utterances,
        "interval_over": drawn_over(row.test.grouped_by, 1),
        **scores,
        **{f"recall_{name}": value for name, value in row.test.recall.items()},
        **{f"{name}_seconds": getattr(row.cost, name) for name in COSTS},
        "parameters": row.cost.parameters,
        "device": row.cost.device,
        "made": row.made,
        "command": row.command,
    }


def _write(file: IO[str], records: Iterable[dict[str, object]]) -> int:
    """One header for all: rows of several label sets have columns of their own."""
    lines = list(records)
    columns = list(dict.fromkeys(column for line in lines for column in line))
    writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({column: _cell(value) for column, value in line.items()} for line in lines)
    return len(lines)


def _cell(value: object) -> object:
    """Numbers in six digits; text that a spreadsheet would take for a formula is kept from being one.

    >>> _cell(0.1234567), _cell(None), _cell("=1+1")
    ('0.123457', '', "'=1+1")
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6f}"
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
