"""The leaderboard as one HTML page that needs nothing else: no server, no network, no other file."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from ... import __version__
from ...config_files import find_config
from ...corpus import EMOTIONS, atomic_write
from ...metrics import METRICS
from ..row import UNDRAWN, Interval
from .audit import read_audit
from .board import Board, LeaderboardError, Line, Table
from .entry import Entry
from .merging import read_merge
from .samples import LONGEST, Samples
from .shapes import Scale, difference_scale, seconds_scale, share_scale

RECOGNISED = {"speech": "speech", "text": "text", "fusion": "both together"}
"""What an emotion is told from, by modality."""
UNKNOWN = "\N{EN DASH}"
PLOT = 8, 252
"""Where the scale of intervals starts and ends in their drawings, which are 260 wide."""
NAME_WIDTH, NAME_HEIGHT = 250.0, 16.0
"""Room of a name in the plot of cost, which is 560 wide."""


@dataclass(frozen=True)
class Weight:
    """Of a layer: mean, and the least and most of any run."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Layered:
    """The layer weights of an upstream over so many runs, by layer."""

    runs: int
    weights: dict[int, Weight]


@dataclass(frozen=True)
class Point:
    """An entry in the plot of cost."""

    entry: str
    line: Line
    x: float
    y: float


@dataclass(frozen=True)
class CostPlot:
    """Cost against UAR on one target; ``front`` are the competitors that nothing cheaper beats."""

    name: str
    x: Scale
    y: Scale
    chance: float
    points: list[Point]
    front: list[Point]

    @property
    def named(self) -> list[Point]:
        """Points of the front whose names do not run into one another, the best first."""
        found: list[Point] = []
        for point in reversed(self.front):
            if all(abs(point.y - other.y) > NAME_HEIGHT or abs(point.x - other.x) > NAME_WIDTH for other in found):
                found.append(point)
        return found


def write_page(board: Board, path: str | Path, title: str | None = None, samples: Samples | None = None) -> None:
    """Write the page of a board.

    Args:
        board: what to show.
        path: of the page, ``*.html``.
        title: by default the benchmarks' names.
        samples: what to listen to.

    Raises:
        LeaderboardError: if the page is not to be an HTML file.
    """
    path = Path(path)
    if path.suffix not in (".html", ".htm"):
        raise LeaderboardError(f"-o {path}: expected the name of an .html file")
    page = render_page(board, title, samples)
    with atomic_write(path) as file:
        file.write(page)


def render_page(board: Board, title: str | None = None, samples: Samples | None = None) -> str:
    """The page of a board; see `write_page`."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(
        share=_share,
        short=_short,
        tick=_tick,
        seconds=_seconds,
        label=_label,
        config=_config,
        score=_score,
        said=_said,
        moment=_moment,
    )
    ids = {line.entry: f"e{number}" for number, line in enumerate(board.lines, 1)}
    style, script = (
        find_config("pages", "leaderboard", suffix).read_text(encoding="utf-8") for suffix in (".css", ".js")
    )
    script = f"\n{script}"
    audit, layered = read_audit(board.folder), _layered(board)
    plots = [plot for table in board.tables if (plot := _cost_plot(table, ids)) is not None]
    sections = {
        "results": "Results",
        **({"differences": f"Against {board.baseline}"} if board.baseline else {}),
        **({"layers": "Layers"} if layered else {}),
        **({"cost": "Cost"} if plots else {}),
        **({"listen": "Listen"} if samples else {}),
        **({"audit": "Leakage audit"} if audit else {}),
        "protocol": "Protocol and versions",
    }
    rows = board.rows
    return environment.from_string(find_config("pages", "leaderboard", ".j2").read_text(encoding="utf-8")).render(
        board=board,
        title=title or ", ".join(board.benchmarks),
        version=__version__,
        policy=_policy(script),
        style=Markup(style),
        script=Markup(script),
        sections=sections,
        metrics=list(METRICS),
        systems=_distinct(row.system for row in rows),
        sources=_distinct(row.source for row in rows),
        targets=_distinct(row.target for row in rows),
        modalities=_distinct(row.modality for row in rows),
        recognised=[told for kind, told in RECOGNISED.items() if kind in {row.modality for row in rows}],
        kinds=_distinct(line.row.source_kind for line in board.lines),
        groupings=_distinct(f"{table.task.grouped_by}s" for table in board.tables),
        most_seeds=max(len(line.entry.rows) for line in board.lines),
        varied=board.varied,
        ids=ids,
        layered=layered,
        plots=plots,
        samples=samples,
        longest=f"{LONGEST:g}",
        audit=audit,
        merged=read_merge(board.folder),
        common=_common(board),
        floor=any(row.source == board.baseline and row.source_kind in UNDRAWN for row in rows),
        claims=sum(len(table.comparisons) for table in board.tables),
        scales_of=_scales,
        difference_scale=_difference_scale,
        weights_of=_entry_weights,
        facts_of=partial(_facts, varied=board.varied),
    )


def _policy(script: str) -> str:
    """What the browser may do: run this one script, draw, play what is in the page. No request, no other script."""
    digest = base64.b64encode(sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; media-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _scales(table: Table) -> dict[str, Scale]:
    """One for each metric, which all entries of a table share."""
    scales = {}
    for metric in METRICS:
        scores = [line.scores[metric] for line in table.lines]
        ends = [end for score in scores for end in (score.low, score.high)]
        scales[metric] = share_scale([*ends, table.chance.get(metric, ends[0]), table.majority[metric]], *PLOT)
    return scales


def _difference_scale(table: Table) -> Scale:
    return difference_scale(
        [end for found in table.comparisons for end in (found.difference.low, found.difference.high)], 6, 294
    )


def _layered(board: Board) -> dict[str, Layered]:
    """By upstream, and by the number of layers where that differs."""
    found: dict[str, dict[int, list[tuple[float, ...]]]] = {}
    for row in board.rows:
        if row.layer_weights:
            found.setdefault(row.system, {}).setdefault(len(row.layer_weights), []).append(row.layer_weights)
    return {
        system if len(sizes) == 1 else f"{system}, {size} layers": Layered(len(runs), _weights(runs))
        for system, sizes in found.items()
        for size, runs in sizes.items()
    }


def _entry_weights(entry: Entry) -> dict[int, Weight]:
    return _weights([row.layer_weights for row in entry.rows if row.layer_weights])


def _weights(runs: Sequence[Sequence[float]]) -> dict[int, Weight]:
    table = np.array(runs)
    ends = zip(table.mean(axis=0), table.min(axis=0), table.max(axis=0), strict=True)
    return {layer: Weight(*map(float, values)) for layer, values in enumerate(ends)}


def _cost_plot(table: Table, ids: dict[Entry, str]) -> CostPlot | None:
    """None where no entry says what it cost."""
    known = [(line, seconds) for line in table.lines if (seconds := line.entry.seconds)]
    if not known:
        return None
    x = seconds_scale([seconds for _, seconds in known], 44, 550)
    y = share_scale([*(line.scores["UAR"].value for line, _ in known), table.chance["UAR"]], 310, 12)
    points = [
        Point(ids[line.entry], line, x.at(seconds), y.at(line.scores["UAR"].value))
        for line, seconds in sorted(known, key=lambda pair: pair[1])
    ]
    front: list[Point] = []
    for point in points:
        if point.line.entry.competes and all(
            point.line.scores["UAR"].value > other.line.scores["UAR"].value for other in front
        ):
            front.append(point)
    return CostPlot(table.name, x, y, table.chance["UAR"], points, front)


def _facts(entry: Entry, varied: Sequence[str]) -> dict[str, str]:
    """What an entry's details say beside its numbers."""
    row = entry.first
    cost = {
        name: _mean([getattr(each.cost, name) for each in entry.rows]) for name in ("features", "training", "testing")
    }
    alone = " alone: there is one seed" if entry.lacks_seeds else ""
    facts = {
        "head": row.head,
        "intervals": f"95%, drawn by {entry.interval_over}{alone}",
        "protocol": "; ".join(f"{key}: {_said(value)}" for key, value in row.protocol.items()),
        "time": ", ".join(f"{name} {_seconds(value)}" for name, value in cost.items() if value is not None),
        "trained parameters": "" if row.cost.parameters is None else f"{row.cost.parameters:,}",
        "device": ", ".join(_distinct(each.cost.device or "" for each in entry.rows)),
        "dropped": ", ".join(f"{count} {_label(name)}" for name, count in row.test.dropped.items()),
        "bad audio": ", ".join(f"{count} {reason}" for reason, count in row.test.bad_audio.items()),
        "benchmark": row.benchmark,
        "contributor": row.contributor,
    }
    return {name: value for name, value in facts.items() if value}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _common(board: Board) -> dict[str, str]:
    """What all rows say alike."""
    found: dict[str, str] = {}
    for field in ("protocol", "versions"):
        for key in _distinct(key for row in board.rows for key in getattr(row, field)):
            values = _distinct(_said(getattr(row, field).get(key)) for row in board.rows)
            if len(values) == 1:
                found[key] = values[0]
    for table in board.tables:
        found[f"{table.name}, classes"] = ", ".join(map(_label, table.task.labels))
        if table.task.fingerprint:
            found[f"{table.name}, fingerprint"] = table.task.fingerprint
    made = sorted(row.made for row in board.rows if row.made)
    found["made"] = " to ".join(_distinct(map(_moment, (made[0], made[-1])))) if made else ""
    return {name: value for name, value in found.items() if value}


def _share(value: float | None) -> str:
    """Three digits.

    >>> _share(0.5), _share(None)
    ('0.500', 'n/a')
    """
    return "n/a" if value is None else f"{value:.3f}"


def _short(value: float | None) -> str:
    """Per cent without the sign.

    >>> _short(0.505), _short(1.0), _short(None)
    ('51', '100', '–')
    """
    return UNKNOWN if value is None else f"{100 * value + 1e-9:.0f}"


def _tick(value: float) -> str:
    return f"{value:g}"


def _seconds(value: float | None) -> str:
    """A duration in the unit that people would take.

    >>> _seconds(0.25), _seconds(8.4), _seconds(75), _seconds(7500), _seconds(None)
    ('0.25 s', '8.4 s', '75 s', '2.1 h', '–')
    """
    if value is None:
        return UNKNOWN
    if value >= 5400:
        return f"{value / 3600:.1f} h"
    return f"{value / 60:.0f} min" if value >= 600 else f"{value:.2g} s" if value < 10 else f"{value:.0f} s"


def _moment(made: str) -> str:
    """A time without its seconds; what is none stays as it is.

    >>> _moment("2026-01-02T03:04:05+00:00"), _moment("yesterday")
    ('2026-01-02 03:04', 'yesterday')
    """
    return made[:16].replace("T", " ") if made[10:11] == "T" else made


def _label(code: str) -> str:
    """A label in words; that of another taxonomy as it is."""
    return EMOTIONS.get(code, code)


def _score(found: Interval) -> str:
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


def _said(value: Any) -> str:
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _config(config: dict[str, Any]) -> str:
    return json.dumps(config, indent=2, ensure_ascii=False)
