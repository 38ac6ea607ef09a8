"""The commands of the group ``leaderboard``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from .options import Contributor

Results = Annotated[Path, typer.Argument(metavar="RESULTS", help="A folder of results, which a benchmark wrote.")]
Baseline = Annotated[
    str | None, typer.Option(metavar="SOURCE", help="Compare every other source with this one, system by system.")
]


def add(
    experiments: Annotated[
        list[Path], typer.Argument(metavar="EXP...", help="Folders that run_downstream.py trained and tested in.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder of results; what it holds stays.")],
    kind: Annotated[str, typer.Option(help="Of what they were trained on: synthetic, real, mixed, ...")],
    source: Annotated[
        str | None, typer.Option(help="Its name; by default the corpora's, '-then-' between the stages of -i.")
    ] = None,
    benchmark: Annotated[str, typer.Option(help="Name of these rows.")] = "experiments",
    contributor: Contributor = "",
) -> None:
    """Take the tests of s3prl's own experiments into a folder of results: a row for each experiment and target."""
    from ..benchmark.experiments import Told, add_experiments

    rows = add_experiments(experiments, out, Told(kind, source, benchmark, contributor))
    for row in rows:
        uar = row.test.metrics["UAR"].value
        print(f"{row.system}, {row.head}: {row.source} to {row.target}, seed {row.seed}: UAR {uar:.3f}")
    print(f"{len(rows)} rows in {out}: zero-shot-emotion leaderboard show {out}")


def show(results: Results, baseline: Baseline = None) -> None:
    """A table a target: means over seeds, intervals, controls, and what differs from a baseline."""
    from rich.console import Console

    from ..benchmark.leaderboard import load_board
    from ..benchmark.leaderboard.table import needed_width, render_tables

    console = Console(soft_wrap=False, highlight=False)
    parts = list(render_tables(load_board(results, baseline)))
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = needed_width(parts, console)
    for part in parts:
        console.print(part)


def as_csv(
    results: Results,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="The file; by default it is printed.", dir_okay=False)
    ] = None,
    rows: Annotated[bool, typer.Option("--rows", help="A line for each row instead of one for all seeds.")] = False,
) -> None:
    """Results as CSV: a line for all seeds of a system, source and target, or one for each row."""
    from ..benchmark.leaderboard import load_board
    from ..benchmark.leaderboard.as_csv import write_each, write_entries
    from ..corpus import atomic_write

    board = load_board(results)
    write = write_each if rows else write_entries
    if out is None:
        write(board, sys.stdout)
        return
    with atomic_write(out) as file:
        count = write(board, file)
    print(f"{count} lines written to {out}")


def page(
    results: Results,
    out: Annotated[Path, typer.Option("-o", "--out", help="The page.")] = Path("leaderboard.html"),
    baseline: Baseline = None,
    samples: Annotated[
        list[str] | None,
        typer.Option(metavar="CORPUS[:N]", help="A corpus to listen to, and how many utterances; may be repeated."),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Of the page; by default the benchmark's name.")] = None,
) -> None:
    """One HTML file with all in it: sortable, filterable, with figures, recordings and how to repeat each row."""
    from ..benchmark.leaderboard import load_board
    from ..benchmark.leaderboard.page import write_page
    from ..benchmark.leaderboard.samples import read_samples

    board = load_board(results, baseline)
    heard = read_samples(samples) if samples else None
    write_page(board, out, title, heard)
    print(f"{len(board.rows)} rows, {len(board.lines)} entries, {len(board.tables)} tables")
    if heard is not None:
        left_out = ", ".join(f"{count} {reason}" for reason, count in heard.left_out.items()) or "nothing"
        print(f"{len(heard.utterances)} utterances of {', '.join(heard.corpora)} to listen to; left out: {left_out}")
    print(f"page  {out}  ({out.stat().st_size / 1e6:.1f} MB)")


def merge(
    results: Annotated[list[Path], typer.Argument(metavar="RESULTS...", help="Folders of results, at least two.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The new folder of results.")],
    contributor: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=RESULTS", help="Who made a folder's rows; by default the folder's name."),
    ] = None,
) -> None:
    """Put results of several people into one folder; says what is there twice, and what cannot be compared."""
    from rich.console import Console

    from ..benchmark.leaderboard import load_board
    from ..benchmark.leaderboard.merging import merge as run
    from ..benchmark.leaderboard.table import render_differing

    print(run(results, out, contributor or []).summary(out))
    console = Console(highlight=False)
    for part in render_differing(load_board(out)):
        console.print(part)
