"""The predictions of a row, as `zero_shot_emotion.results.write_predictions` leaves them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import UserError
from ..row import Row

Classes = npt.NDArray[np.int64]


class PredictionsError(UserError, ValueError):
    """Predictions that are missing, or are not those of their row."""


@dataclass(frozen=True)
class Told:
    """What a row's system said of each utterance, in the order of the ids.

    Attributes:
        ids: sorted.
        truth: class indices, shape (utterances,).
        predicted: class indices, shape (utterances,).
        groups: what the bootstrap draws whole; None where it draws utterances.
    """

    ids: tuple[str, ...]
    truth: Classes
    predicted: Classes
    groups: tuple[str, ...] | None

    @cached_property
    def tested(self) -> str:
        """The same for all that were tested on the same utterances with the same labels, and for no others."""
        said = "\n".join(f"{key}\t{label}" for key, label in zip(self.ids, self.truth, strict=True))
        return sha256(said.encode()).hexdigest()[:8]

    def holds(self, other: Told) -> bool:
        """Whether it tells of all utterances of another, with the same labels."""
        labels = dict(zip(self.ids, self.truth, strict=True))
        return all(labels.get(key) == label for key, label in zip(other.ids, other.truth, strict=True))

    def on(self, other: Told) -> Classes:
        """What was said of the utterances of another, in their order, shape (utterances,)."""
        if self.ids == other.ids:
            return self.predicted
        return self.predicted[np.searchsorted(self.ids, other.ids)]


def read_told(folder: Path, row: Row) -> Told:
    """Read the predictions of a row.

    Raises:
        PredictionsError: if they are missing, or hold another class or another number of utterances than the row.
    """
    path = folder / row.predictions
    if not path.is_file():
        raise PredictionsError(f"{path}: no such file, expected the predictions of the row {row.id}")
    index = {name: k for k, name in enumerate(row.labels)}
    with path.open(encoding="utf-8", newline="") as file:
        lines = sorted(csv.DictReader(file), key=lambda line: line.get("id") or "")
    if len(lines) != row.test.utterances:
        raise PredictionsError(f"{path}: got {len(lines)} utterances, expected {row.test.utterances} as the row says")
    columns = ["id", "truth", "predicted"]
    if row.test.grouped_by != "utterance":
        columns += ["corpus", row.test.grouped_by]
    for column in columns:
        if any(line.get(column) is None for line in lines):
            raise PredictionsError(f"{path}: {column}: missing, expected in every line")
    truth, predicted = (_classes(path, column, [line[column] for line in lines], index) for column in columns[1:3])
    grouped = row.test.grouped_by != "utterance"
    groups = tuple(f"{line['corpus']}/{line[columns[4]]}" for line in lines) if grouped else None
    return Told(tuple(line["id"] for line in lines), truth, predicted, groups)


def _classes(path: Path, column: str, names: list[str], index: dict[str, int]) -> Classes:
    for name in names:
        if name not in index:
            raise PredictionsError(f"{path}: {column}: got {name!r}, expected one of {', '.join(index)}")
    return np.array([index[name] for name in names], dtype=np.int64)
