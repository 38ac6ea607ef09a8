"""The model card of a trained system, in Hugging Face's format, beside its checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from ..config_files import find_config
from ..corpus import atomic_write
from ..regression import MODEL
from .grid import Grid, InDomainSource, Upstream
from .plan import SECTION, System
from .row import Row
from .train import BEST

CARD = "README.md"
TASK = "audio-classification"
METRIC_TYPES = {"UAR": "recall", "WA": "accuracy", "macro-F1": "f1"}
"""Of our metrics in Hugging Face's terms; UAR is macro-averaged recall."""


def write_card(folder: Path, grid: Grid, system: System, rows: Sequence[Row], upstream: Upstream) -> None:
    """Write ``README.md`` beside a system's checkpoint.

    Args:
        folder: of the system.
        grid: that it belongs to.
        system: what was trained.
        rows: its results.
        upstream: what it was trained on.
    """
    from huggingface_hub import ModelCard

    in_domain = isinstance(grid.sources[system.source], InDomainSource)
    described = grid.sources[system.source].description or f"a source of kind {system.kind}"
    name = f"{grid.name}-{system.source}-{system.upstream}-{system.head}-seed{system.seed}"
    regression = SECTION in system.config["head"]
    model = MODEL if regression else BEST
    card = ModelCard.from_template(
        _data(name, rows, "scikit-learn" if regression else "s3prl"),
        template_path=str(find_config("pages", "model-card", ".j2")),
        title=f"Speech emotion recognition: {system.source} → {', '.join(system.targets)}",
        summary=(
            f"The head {system.head!r} on the frozen upstream {system.upstream!r}, trained on {system.source!r}: "
            f"a system of the benchmark {grid.name!r} of zero-shot-emotion."
        ),
        # each fold of a cross-validation has a checkpoint of its own
        checkpoint=f"fold0/{model}" if in_domain else model,
        by_s3prl=not regression,
        classes=list(grid.label_set.classes),
        upstream=" ".join(part for part in (upstream.upstream, upstream.ckpt) if part),
        source=system.source,
        source_text=described,
        in_domain=in_domain,
        fingerprints={key: value for row in rows for key, value in row.fingerprints.items()},
        metrics=list(METRIC_TYPES),
        rows=list(rows),
        seed=system.seed,
        command=rows[0].command,
        versions=rows[0].versions,
        made=rows[0].made,
        config=yaml.safe_dump(system.config, sort_keys=False, allow_unicode=True).strip(),
    )
    with atomic_write(folder / CARD) as file:
        file.write(str(card))


def _data(name: str, rows: Sequence[Row], library: str) -> Any:
    """The metadata that stands in the head of the card."""
    from huggingface_hub import EvalResult, ModelCardData

    results = [
        EvalResult(
            task_type=TASK,
            task_name="speech emotion recognition",
            dataset_type=row.target,
            dataset_name=row.target,
            metric_type=METRIC_TYPES[metric],
            metric_name=metric,
            metric_value=round(found.value, 4),
        )
        for row in rows
        for metric, found in row.test.metrics.items()
        if metric in METRIC_TYPES
    ]
    return ModelCardData(
        library_name=library,
        pipeline_tag=TASK,
        tags=["speech-emotion-recognition", "zero-shot-emotion", "s3prl"],
        metrics=list(METRIC_TYPES.values()),
        model_name=name,
        eval_results=results,
    )
