"""One screen about a benchmark: what ran, what came out, what may be said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .compare import Comparison, Score
from .row import RESULTS, UNDRAWN
from .statistics import drawn_over

SHOWN = 20
"""Lines of a list that may be long."""


def table(scores: Sequence[Score], metric: str) -> list[str]:
    """Lines: a block a target and modality, the best mean first."""
    lines: list[str] = []
    for target, modality in dict.fromkeys((score.key.target, score.key.modality) for score in scores):
        block = (s for s in scores if (s.key.target, s.key.modality) == (target, modality))
        its = sorted(block, key=lambda s: -s.mean.value)
        test, by = its[0].rows[0].test, its[0].rows[0].test.grouped_by
        lines += ["", f"{target}, {modality}: {test.utterances} utterances, {metric}, 95% intervals by {_by(by, its)}"]
        for score in its:
            seeds = f"{score.mean.seeds} seed{'s' if score.mean.seeds > 1 else ''}"
            if score.mean.seeds == 1 and score.rows[0].source_kind not in UNDRAWN:
                seeds += f", interval by {by} alone"
            lines.append(f"  {score.key.source:<24} {score.key.model:<28} {score.mean!s:<32} {seeds}")
    return lines


def said(comparisons: Sequence[Comparison]) -> list[str]:
    """The comparisons in sentences, the clearest first."""
    ordered = sorted(comparisons, key=lambda c: (c.p_holm, -abs(c.difference.value)))
    lines = [f"  {c.sentence}" for c in ordered[:SHOWN]]
    if len(ordered) > SHOWN:
        lines.append(f"  and {len(ordered) - SHOWN} more in the file")
    return lines


def as_json(scores: Sequence[Score], comparisons: Sequence[Comparison], metric: str) -> dict[str, Any]:
    """All of it, for files."""
    return {
        "metric": metric,
        "means": [
            {
                **_key(score.key),
                **asdict(score.mean),
                "interval_over": drawn_over(score.rows[0].test.grouped_by, score.mean.seeds),
                "rows": [row.id for row in score.rows],
            }
            for score in scores
        ],
        "comparisons": [
            {**_key(c.key), "baseline": c.baseline, **asdict(c.difference), "p_holm": c.p_holm, "sentence": c.sentence}
            for c in comparisons
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


def _by(groups: str, scores: Sequence[Score]) -> str:
    return drawn_over(groups, max(score.mean.seeds for score in scores))


def _key(key: Any) -> dict[str, Any]:
    return {**key._asdict(), "protocol": dict(key.protocol)}
