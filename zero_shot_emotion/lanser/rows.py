"""Rows of the leaderboard's form out of systems that were tested."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ..benchmark.row import Cost, Interval, Row, Test, read_rows, write_rows
from ..benchmark.run import METRICS, versions
from ..benchmark.train import read_facts
from ..corpus import atomic_write
from ..results import predictions_path, read_results
from ..settings import conditioning_of
from .plan import Parts, System
from .settings import LanserSettings


def gather(
    out: Path,
    settings: LanserSettings,
    systems: Sequence[System],
    targets: Mapping[str, Parts],
    command: str,
    contributor: str,
) -> list[Row]:
    """Write ``results.jsonl`` and the predictions of what is tested by now; rows that were there keep their lines.

    Rows of another state of this experiment, such as other hyperparameters, make way; other benchmarks' stay.

    Returns:
        the rows of these systems.
    """
    before = {row.id: row for row in read_rows(out)}
    rows: list[Row] = []
    for system in systems:
        for target in system.job.targets if system.is_done else ():
            row_id = system.row_id(targets[target])
            if row_id not in before:
                before[row_id] = _row(row_id, settings, system, targets[target], command, contributor)
                _copy_predictions(out, before[row_id], system)
            rows.append(before[row_id])
    write_rows(out, [*rows, *(row for row in before.values() if row.benchmark != settings.name)])
    return rows


def _row(row_id: str, settings: LanserSettings, system: System, target: Parts, command: str, contributor: str) -> Row:
    found, facts = read_results(system.job.folder)[target.name], read_facts(system.job.folder)
    trained = {"upstream": "fine-tuned"} if settings.upstream.trainable else {}
    return Row(
        id=row_id,
        benchmark=settings.name,
        modality="speech",
        system=settings.upstream.upstream,
        head=settings.head,
        source=system.source,
        source_kind=system.kind,
        target=target.name,
        seed=system.job.seed,
        labels=settings.label_set.classes,
        protocol={**system.protocol, **trained, **conditioning_of(settings.pretrain["downstream_expert"]).key},
        test=Test(
            utterances=found["utterances"],
            metrics={name: Interval(**found[name]) for name in METRICS},
            recall=found["recall"],
            confusion=found["confusion"]["rows are truth"],
            grouped_by=found["intervals"].rsplit(" ", 1)[1],
            dropped=found["dropped"],
            bad_audio=found["bad_audio"],
        ),
        layer_weights=facts["layer_weights"],
        cost=Cost(
            training=facts["training"],
            testing=facts["testing"][target.name],
            parameters=facts["parameters"],
            device=facts["device"],
        ),
        fingerprints={target.name: target.fingerprint, system.source: system.fingerprint},
        config={**system.config, "target": target.name},
        command=command,
        versions=versions(),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        contributor=contributor,
    )


def _copy_predictions(out: Path, row: Row, system: System) -> None:
    path = out / row.predictions
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path, "wb") as file, predictions_path(system.job.folder, row.target).open("rb") as source:
        shutil.copyfileobj(source, file)
