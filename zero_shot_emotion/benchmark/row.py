"""One row of results: a system, trained on a source, tested on a target, with one seed.

A folder of results holds ``results.jsonl``, a row a line, and ``predictions/``, a CSV a row. Whatever makes
rows (speech, text, fusion, pre-training) writes them in this form; the statistics and the leaderboard read nothing
else, so that the rows of several people can be put side by side.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ..corpus import atomic_write, explain
from ..errors import UserError

RESULTS = "results.jsonl"
PREDICTIONS = "predictions"

Modality = Literal["speech", "text", "fusion"]
SourceKind = Literal[
    "real",
    "synthetic",
    "synthetic-neutral",
    "label-only",
    "mixed",
    "weak-labels",
    "shuffled",
    "majority",
    "in-domain",
    "untrained",
]
"""What a system was trained on. ``shuffled``, ``majority``, ``synthetic-neutral``, ``label-only`` are controls,
``in-domain`` is the upper bound, ``untrained`` is a system that needs no training, such as entailment."""
UNDRAWN = ("majority", "untrained")
"""Kinds in which a seed draws nothing: one row is all there is."""


class RowError(UserError, ValueError):
    """A results file that does not hold what it should."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Interval(_Strict):
    """A metric and its 95% interval."""

    value: float
    low: float
    high: float


class Test(_Strict):
    """What a test gave.

    Attributes:
        utterances: how many were tested.
        metrics: UAR, WA, macro-F1, each with its interval.
        recall: by class; None where the target has none of it.
        confusion: the truth in rows, shape (classes, classes).
        grouped_by: what the bootstrap drew whole: speaker, dialogue or utterance.
        dropped: how many utterances of the target are outside the label set, by emotion.
        bad_audio: how many could not be read, by reason.
    """

    __test__ = False  # for pytest, which takes the name for a test

    utterances: int
    metrics: dict[str, Interval]
    recall: dict[str, float | None]
    confusion: list[list[int]]
    grouped_by: Literal["speaker", "dialogue", "utterance"]
    dropped: dict[str, int] = {}
    bad_audio: dict[str, int] = {}


class Cost(_Strict):
    """What a row cost, in seconds of one machine.

    Attributes:
        features: the pass of the frozen model over source and target, whoever shares it.
        training: of the head.
        testing: of the head.
        parameters: trained ones.
        device: such as ``cpu`` or the name of a GPU.
    """

    features: float | None = None
    training: float | None = None
    testing: float | None = None
    parameters: int | None = None
    device: str | None = None


class Row(_Strict):
    """A row of a leaderboard, with all that is needed to repeat it.

    Attributes:
        id: fixed by the config; names the file of predictions.
        benchmark: the grid's name.
        modality: what the system takes.
        system: what is compared, such as the upstream ``data2vec`` or the encoder ``bert-base-uncased``.
        head: what was trained on it, such as ``UtteranceLevel`` or ``logistic-regression``.
        source: name of what was trained on, as in the grid.
        source_kind: its kind.
        target: name of what was tested on, as in the grid.
        seed: over generation, voices and training.
        labels: the classes, in their order.
        protocol: what else decides about the number, as keys and values: normalisation, dev metric, share of the
            source, … Rows whose protocols differ are not compared without saying so.
        test: what came out.
        layer_weights: of the upstream's layers, softmax.
        cost: what it took.
        fingerprints: of the corpora, by name: a hash over ids, labels and audio or text; and of the models' files, such
            as ``ckpt of data2vec``.
        config: of the run, whole.
        command: that repeats it.
        versions: of the packages that matter.
        made: when, ISO 8601 in UTC.
        contributor: who ran it; empty for oneself.
    """

    id: str
    benchmark: str
    modality: Modality
    system: str
    head: str
    source: str
    source_kind: SourceKind
    target: str
    seed: int
    labels: tuple[str, ...]
    protocol: dict[str, str | int | float | bool | None] = {}
    test: Test
    layer_weights: tuple[float, ...] | None = None
    cost: Cost = Cost()
    fingerprints: dict[str, str] = {}
    config: dict[str, Any] = {}
    command: str = ""
    versions: dict[str, str] = {}
    made: str = ""
    contributor: str = ""

    @property
    def predictions(self) -> Path:
        """Where its predictions lie, relative to the folder of results; see `zero_shot_emotion.results`."""
        return Path(PREDICTIONS) / f"{self.id}.csv"

    @staticmethod
    def id_for(config: dict[str, Any]) -> str:
        """A name that this config alone has: 16 hexadecimal digits."""
        return sha256(json.dumps(config, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def sole_contributor(rows: Iterable[Row]) -> str:
    """Who ran all of some rows; empty where several did, or none says."""
    names = {row.contributor for row in rows}
    return names.pop() if len(names) == 1 else ""


def read_rows(folder: str | Path) -> list[Row]:
    """The rows of a folder of results, in the order of its file; none if there is no file.

    Raises:
        RowError: naming file, line, key, value and what was expected.
    """
    path = Path(folder) / RESULTS
    if not path.exists():
        return []
    rows = []
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                rows.append(Row.model_validate_json(line))
            except ValidationError as error:
                raise RowError(f"{path}: line {number}: {explain(error)}") from None
    return rows


def write_rows(folder: str | Path, rows: Iterable[Row]) -> None:
    """Write a folder's rows, whole or not at all."""
    with atomic_write(Path(folder) / RESULTS) as file:
        file.writelines(row.model_dump_json() + "\n" for row in rows)
