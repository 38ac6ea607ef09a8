"""The leaderboard in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...metrics import METRICS
from .board import Board, Line, Table
from .entry import BOUND, CONTROLS

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table as RichTable
    from rich.text import Text


def render_tables(board: Board) -> Iterator[RenderableType]:
    """What to print with rich, a target after the other, then what to know about it."""
    from rich.padding import Padding
    from rich.text import Text

    for table in board.tables:
        yield _target(table, varied=board.varied, contributors=bool(board.contributors))
        for comparison in table.comparisons:
            yield Padding(_plain(str(comparison)), (0, 0, 0, 2))
        if board.baseline is not None and not table.comparisons:
            yield Padding(_plain(f"nothing here compares with {board.baseline} with all else the same"), (0, 0, 0, 2))
        yield Text()
    yield from _notes(board)


def _target(table: Table, varied: tuple[str, ...], contributors: bool) -> RichTable:
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(box=box.SIMPLE_HEAD, title=_title(table), title_justify="left", title_style="", pad_edge=False)
    drawn.add_column("system", overflow="fold")
    drawn.add_column("source", overflow="fold")
    if contributors:
        drawn.add_column("by", overflow="fold")
    for key in varied:
        drawn.add_column(_plain(key), overflow="fold")
    drawn.add_column("UAR", no_wrap=True)
    drawn.add_column("95% interval", no_wrap=True)
    drawn.add_column("WA", no_wrap=True)
    drawn.add_column("macro-F1", no_wrap=True)
    drawn.add_column("seeds", justify="right")
    for line, following in zip(table.lines, (*table.lines[1:], None), strict=True):
        row = line.row
        own = [row.contributor] if contributors else []
        several = len({other.row.head for other in table.lines if other.row.system == row.system}) > 1
        system = f"{row.system} ({row.head})" if several else row.system
        cells = [system, _source(line), *own, *(_value(row.protocol.get(key)) for key in varied)]
        scores = [_score(table, line, metric) for metric in METRICS]
        interval = Text(f"[{line.scores['UAR'].low:.3f}, {line.scores['UAR'].high:.3f}]")
        seeds = str(len(line.entry.rows)) + ("!" if line.entry.repeated else "")
        drawn.add_row(*map(_plain, cells), scores[0], interval, *scores[1:], seeds, style=_style(line))
        if following is not None and _block(following) != _block(line):
            drawn.add_section()
    return drawn


def _title(table: Table) -> Text:
    from rich.text import Text

    utterances, labels = int(table.support.sum()), ", ".join(table.task.labels)
    majority = ", ".join(f"{name} {value:.3f}" for name, value in table.majority.items())
    title = Text.assemble((_clean(table.name), "bold"), f": {utterances} utterances, {_clean(labels)}")
    return title.append(f"\nchance: UAR {table.chance['UAR']:.3f}; always the commonest class: {majority}", "dim")


def _score(table: Table, line: Line, metric: str) -> Text:
    from rich.text import Text

    score = line.scores[metric]
    spread = "" if score.sd is None else f" ± {score.sd:.3f}"
    return Text(f"{score.value:.3f}{spread}", style="bold" if table.is_best(line, metric) else "")


def _source(line: Line) -> str:
    row = line.row
    return row.source if row.source == row.source_kind else f"{row.source} ({row.source_kind})"


def _block(line: Line) -> int:
    kind = line.row.source_kind
    return 2 if kind in CONTROLS else 1 if kind == BOUND else 0


def _style(line: Line) -> str:
    return "" if _block(line) == 0 else "dim"


def _notes(board: Board) -> Iterator[RenderableType]:
    """What the numbers mean, and what must be known before they are compared."""
    by = " or ".join(sorted({table.task.grouped_by for table in board.tables}))
    yield _plain(
        f"mean ± standard deviation over seeds; the interval is that of the mean, drawn by {by} and by seed"
        "; bold: the best of those that compete under one protocol, chosen by looking at the target"
    )
    if any(line.entry.lacks_seeds for line in board.lines):
        yield _plain(f"one seed: the interval is drawn by {by} alone and does not say what other seeds would give")
    if any(table.comparisons for table in board.tables):
        count = sum(len(table.comparisons) for table in board.tables)
        yield _plain(f"p values: paired bootstrap over {by} and seed, Holm's correction over all {count} comparisons")
    for line in board.lines:
        if line.entry.repeated:
            seeds = ", ".join(map(str, line.entry.repeated))
            yield _plain(f"! {line.row.system}, {line.row.source}: several rows of seed {seeds}; their configs differ")
    yield from render_differing(board)


def render_differing(board: Board) -> Iterator[RenderableType]:
    """In what rows differ that must not differ to be compared, as a table; a line if in nothing."""
    from rich import box
    from rich.table import Table as RichTable

    if not board.differing:
        yield _plain("all rows agree in protocol, versions and the state of each target")
        return
    drawn = RichTable(box=box.SIMPLE_HEAD, title="The rows are not all alike", title_justify="left", pad_edge=False)
    for name in ("what", "value", "held by"):
        drawn.add_column(name, overflow="fold")
    for one in board.differing:
        apart = " (not compared: tables of their own)" if one.bars_comparison else ""
        for place, (value, holders) in enumerate(one.values.items()):
            drawn.add_row(_plain("" if place else one.what + apart), _plain(value), _plain(str(holders)))
    yield drawn


def _value(value: object) -> str:
    return "" if value is None else str(value)


def _plain(text: str) -> Text:
    """Text from others: neither markup nor control characters."""
    from rich.text import Text

    return Text(_clean(text))


def _clean(text: str) -> str:
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
