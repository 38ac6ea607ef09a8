"""Tables of one's own: CSV, TSV or JSON lines, row by row."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .errors import WeakLabelError

DELIMITERS = {".csv": ",", ".tsv": "\t"}


def read_table(key: str, path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The number of each line, and what it has in some columns.

    Args:
        key: of the config that names the table, for errors.
        path: of the table.
        columns: that every row must have; others are not read.

    Raises:
        WeakLabelError: naming file, line and what was expected.
    """
    if not path.is_file():
        raise WeakLabelError(f"{key}: {path}: no such file")
    try:
        for number, row in _rows(key, path):
            if not all(isinstance(row.get(column), str) for column in columns):
                raise WeakLabelError(
                    f"{path}:{number}: expected the columns {' and '.join(columns)}, got {', '.join(map(str, row))}"
                )
            yield number, {column: row[column] for column in columns}
    except UnicodeDecodeError as error:
        raise WeakLabelError(f"{path}: expected UTF-8: {error}") from None


def _rows(key: str, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    suffix = path.suffix.lower()
    with path.open(encoding="utf-8-sig", newline="") as file:
        if suffix in DELIMITERS:
            reader = csv.DictReader(file, delimiter=DELIMITERS[suffix])
            for row in reader:
                yield reader.line_num, row
            return
        if suffix not in (".jsonl", ".json"):
            raise WeakLabelError(f"{key}: got {path}, expected .csv, .tsv or .jsonl")
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise WeakLabelError(f"{path}:{number}: expected a JSON object: {error}") from None
            if not isinstance(row, dict):
                raise WeakLabelError(f"{path}:{number}: expected a JSON object, got {type(row).__name__}")
            yield number, row
