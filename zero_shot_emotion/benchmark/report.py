"""One screen about a benchmark: what ran, what came out, what may be said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .leaderboard import Board, Line, Table
from .leaderboard.board import RANKED_BY
from .leaderboard.scoring import Comparison
from .row import RESULTS, Row
from .statistics import drawn_over

SHOWN = 20
"""Lines of a list that may be long."""


def tables(board: Board) -> list[str]:
    """Lines: a block a table of the leaderboard, the best mean first."""
    return [line for table in board.tables for line in _block(table)]


def _block(table: Table) -> list[str]:
    ranked = sorted(table.lines, key=lambda line: -line.scores[RANKED_BY].value)
    by, most = table.task.grouped_by, max(len(set(line.entry.seeds)) for line in ranked)
    utterances = int(table.support.sum())
    head = f"{table.name}: {utterances} utterances, {RANKED_BY}, 95% intervals by {drawn_over(by, most)}"
    return ["", head, *(_scored(line, by) for line in ranked)]


def _scored(line: Line, by: str) -> str:
    score, row = line.scores[RANKED_BY], line.row
    seeds = f"{score.seeds} seed{'s' if score.seeds > 1 else ''}"
    alone = f", interval by {by} alone" if line.entry.lacks_seeds else ""
    return f"  {row.source:<24} {_model(row):<28} {score!s:<32} {seeds}{alone}"


def said(board: Board) -> list[str]:
    """The comparisons in sentences, the clearest first."""
    ordered = sorted(_comparisons(board), key=lambda c: (c.p, -abs(c.difference.value)))
    lines = [f"  {c}" for c in ordered[:SHOWN]]
    if len(ordered) > SHOWN:
        lines.append(f"  and {len(ordered) - SHOWN} more in the file")
    return lines


def as_json(board: Board) -> dict[str, Any]:
    """All of it, for files."""
    return {
        "metric": RANKED_BY,
        "means": [
            {
                **_key(line.row),
                **asdict(line.scores[RANKED_BY]),
                "interval_over": line.entry.interval_over,
                "rows": [row.id for row in line.entry.rows],
            }
            for line in board.lines
        ],
        "comparisons": [
            {
                **_key(c.entry.first),
                "baseline": c.baseline.first.source,
                **asdict(c.difference),
                "p_holm": c.p,
                "family": c.family,
                "sentence": str(c),
            }
            for c in _comparisons(board)
        ],
    }


def counted(out: Path, rows: int, planned: int, failures: Mapping[str, str], notes: Sequence[str]) -> list[str]:
    """The lines that say what is there, what failed and what was left out."""
    lines = [f"{rows} of {planned} rows are in {out / RESULTS}"]
    lines += [f"  {note}" for note in notes[:SHOWN]]
    if len(notes) > SHOWN:
        lines.append(f"  and {len(notes) - SHOWN} more")
    if failures:
        lines.append(f"{len(failures)} systems failed:")
        lines += [f"  {name}: {problem}" for name, problem in list(failures.items())[:SHOWN]]
    return lines


def _comparisons(board: Board) -> list[Comparison]:
    return [comparison for table in board.tables for comparison in table.comparisons]


def _model(row: Row) -> str:
    return f"{row.system}, {row.head}"


def _key(row: Row) -> dict[str, Any]:
    """What is the same in all rows of an entry: all but the seed."""
    names = ("benchmark", "contributor", "modality", "system", "head", "source", "target", "protocol")
    return {name: getattr(row, name) for name in names}
