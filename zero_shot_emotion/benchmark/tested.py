"""What a test left in an experiment folder, as rows hold it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..corpus import atomic_write
from ..results import ResultsError, predictions_path, read_results
from .row import Interval, Row, Test

METRICS = ("UAR", "WA", "macro-F1")


def as_tested(expdir: str | Path, target: str) -> Test:
    """A row's account of an experiment's test on a target.

    Raises:
        ResultsError: if it was not tested on that.
    """
    results = read_results(expdir)
    if target not in results:
        raise ResultsError(f"{expdir}: no test on {target!r}; there are those on {', '.join(results) or 'none'}")
    return test_of(results[target])


def test_of(found: Mapping[str, Any]) -> Test:
    """A row's account of a target's entry in ``results.json``."""
    return Test(
        utterances=found["utterances"],
        metrics={name: Interval(**found[name]) for name in METRICS},
        recall=found["recall"],
        confusion=found["confusion"]["rows are truth"],
        grouped_by=found["intervals"].rsplit(" ", 1)[1],
        dropped=found["dropped"],
        bad_audio=found.get("bad_audio", {}),
    )


def copy_predictions(expdir: str | Path, out: Path, row: Row) -> None:
    """Put an experiment's predictions where a folder of results has those of a row."""
    path = out / row.predictions
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path, "wb") as file, predictions_path(expdir, row.target).open("rb") as source:
        shutil.copyfileobj(source, file)
