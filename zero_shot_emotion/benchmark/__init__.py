"""Benchmarks: a grid of runs, one row of results each, and what is made of the rows."""

from .row import PREDICTIONS, RESULTS, Cost, Interval, Row, RowError, SourceKind, Test, read_rows, write_rows

__all__ = [
    "PREDICTIONS",
    "RESULTS",
    "Cost",
    "Interval",
    "Row",
    "RowError",
    "SourceKind",
    "Test",
    "read_rows",
    "write_rows",
]
