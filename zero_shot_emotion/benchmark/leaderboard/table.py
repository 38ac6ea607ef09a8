"""The leaderboard in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...metrics import METRICS
from .board import RANKED_BY, Board, Line, Table
from .entry import BOUND, CONTROLS

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.measure import Measurement
    from rich.table import Table as RichTable
    from rich.text import Text

INDENT = (0, 0, 0, 2)
ENDLESS = 100_000
"""Columns in which anything fits."""


def render_tables(board: Board) -> Iterator[RenderableType]:
    """What to print with rich, a target after the other, then what to know about it."""
    from rich.padding import Padding
    from rich.text import Text

    for table in board.tables:
        yield _Fitted(table, board.varied, contributors=bool(board.contributors))
        for comparison in table.comparisons:
            yield Padding(_plain(str(comparison)), INDENT, expand=False)
        if board.baseline is not None and not table.comparisons:
            yield Padding(
                _plain(f"nothing here compares with {board.baseline} with all else the same"), INDENT, expand=False
            )
        yield Text()
    yield from _notes(board)


@dataclass(frozen=True)
class _Layout:
    """What of a table is drawn.

    Attributes:
        metrics: that are drawn.
        apart: whether each key of the protocols has a column; else they stand behind the system's name.
        stacked: whether the source, and who ran it, stand below the system's name.
    """

    metrics: tuple[str, ...] = tuple(METRICS)
    apart: bool = False
    stacked: bool = False


LAYOUTS = (_Layout(apart=True), _Layout(), _Layout((RANKED_BY,)), _Layout((RANKED_BY,), stacked=True))
"""The first in which names and numbers stay whole is drawn."""


@dataclass(frozen=True)
class _Fitted:
    """A target's table as wide as there is room for: names and numbers stay whole, the rest makes way."""

    table: Table
    varied: tuple[str, ...]
    contributors: bool

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for layout in LAYOUTS:
            cells = _cells(self.table, self.varied, self.contributors, layout)
            whole = [max(len(word) for cell in column for word in cell.split() or [""]) for column in cells]
            widths = [_widest(column) for column in cells]
            excess = _measured(self._drawn(layout, widths), console, options).maximum - options.max_width
            if _narrowed(widths, whole, excess):
                break
        yield self._drawn(layout, widths)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        cells = _cells(self.table, self.varied, self.contributors, LAYOUTS[0])
        widest = self._drawn(LAYOUTS[0], [_widest(column) for column in cells])
        return _measured(widest, console, options)

    def _drawn(self, layout: _Layout, widths: Sequence[int]) -> RichTable:
        return _target(self.table, self.varied, self.contributors, layout, widths)


def _widest(column: Sequence[str]) -> int:
    return max(len(line) for cell in column for line in cell.splitlines() or [""])


def _measured(table: RichTable, console: Console, options: ConsoleOptions) -> Measurement:
    return console.measure(table, options=options.update(max_width=ENDLESS))


def _narrowed(widths: list[int], whole: Sequence[int], excess: int) -> bool:
    """Take from the widest columns, in place, what does not cut a word; whether that is enough."""
    while excess > 0:
        spare = [place for place, width in enumerate(widths) if width > whole[place]]
        if not spare:
            return False
        widths[max(spare, key=widths.__getitem__)] -= 1
        excess -= 1
    return True


def needed_width(parts: Iterable[RenderableType], console: Console) -> int:
    """Columns in which no table and no comparison has to be folded: for what is no terminal, such as a pipe."""
    from rich.padding import Padding

    endless = console.options.update(max_width=ENDLESS)
    whole = [part for part in parts if isinstance(part, _Fitted | Padding)]
    return max([console.width, *(console.measure(part, options=endless).maximum for part in whole)])


def _target(
    table: Table, varied: tuple[str, ...], contributors: bool, layout: _Layout, widths: Sequence[int]
) -> RichTable:
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(box=box.SIMPLE_HEAD, title=_title(table), title_justify="left", title_style="", pad_edge=False)
    left_out = [name for name in METRICS if name not in layout.metrics]
    if left_out:
        drawn.caption, drawn.caption_justify = f"not enough room for {' and '.join(left_out)}", "left"
    cells = _cells(table, varied, contributors, layout)
    for (name, *_), width in zip(cells, widths, strict=True):
        drawn.add_column(Text(name), overflow="fold", width=width)
    drawn.add_column("UAR", no_wrap=True)
    drawn.add_column("95% interval", no_wrap=True)
    for name in layout.metrics[1:]:
        drawn.add_column(name, no_wrap=True)
    drawn.add_column("seeds", justify="right", no_wrap=True)
    for place, (line, following) in enumerate(zip(table.lines, (*table.lines[1:], None), strict=True), 1):
        own = [Text(column[place]) for column in cells]
        scores = [_score(table, line, metric) for metric in layout.metrics]
        interval = Text(f"[{line.scores['UAR'].low:.3f}, {line.scores['UAR'].high:.3f}]")
        seeds = str(len(line.entry.rows)) + ("!" if line.entry.repeated else "")
        drawn.add_row(*own, scores[0], interval, *scores[1:], seeds, style=_style(line))
        if following is not None and _block(following) != _block(line):
            drawn.add_section()
    return drawn


def _cells(table: Table, varied: tuple[str, ...], contributors: bool, layout: _Layout) -> list[list[str]]:
    """The columns that say whose a line is, each below its heading."""
    rows = [["system", "source", *(["by"] if contributors else []), *(varied if layout.apart else ())]]
    for line in table.lines:
        row = line.row
        several = len({other.row.head for other in table.lines if other.row.system == row.system}) > 1
        system = f"{row.system} ({row.head})" if several else row.system
        values = [_value(row.protocol.get(key)) for key in varied]
        told = "; ".join(f"{key} {value}" for key, value in zip(varied, values, strict=True) if value)
        if not layout.apart:
            values = [told] if layout.stacked else []
        if not (layout.apart or layout.stacked) and told:
            system = f"{system}; {told}"
        rows.append([system, _source(line), *([row.contributor] if contributors else []), *values])
    if layout.stacked:
        stacks = ["\n".join(_clean(cell) for cell in row if cell) for row in rows[1:]]
        return [[", ".join(rows[0]), *stacks]]
    return [[_clean(cell) for cell in column] for column in zip(*rows, strict=True)]


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
