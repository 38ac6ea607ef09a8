"""Rows of the leaderboard's form out of systems that were tested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ..benchmark.row import Cost, Row, read_rows, sole_contributor, write_rows
from ..benchmark.run import versions
from ..benchmark.tested import as_tested, copy_predictions
from ..benchmark.train import read_facts
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
    own = [row for row in before.values() if row.benchmark == settings.name]
    contributor = contributor or sole_contributor(own)  # who goes on need not say it again
    rows: list[Row] = []
    for system in systems:
        for target in system.job.targets if system.is_done else ():
            row_id = system.row_id(targets[target])
            if row_id not in before:
                before[row_id] = _row(row_id, settings, system, targets[target], command, contributor)
                copy_predictions(system.job.folder, out, before[row_id])
            rows.append(before[row_id])
    write_rows(out, [*rows, *(row for row in before.values() if row.benchmark != settings.name)])
    return rows


def _row(row_id: str, settings: LanserSettings, system: System, target: Parts, command: str, contributor: str) -> Row:
    facts = read_facts(system.job.folder)
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
        test=as_tested(system.job.folder, target.name),
        layer_weights=facts["layer_weights"],
        cost=Cost(
            training=facts["training"],
            testing=facts["testing"][target.name],
            parameters=facts["parameters"],
            device=facts["device"],
        ),
        fingerprints={target.name: target.fingerprint, system.source: system.fingerprint, **system.models},
        config={**system.config, "target": target.name},
        command=command,
        versions=versions(),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        contributor=contributor,
    )
