"""The model card of a trained system, in Hugging Face's format, beside its checkpoint."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from ..config_files import find_config
from ..corpus import atomic_write
from ..regression import MODEL
from .fused import FUSED
from .grid import Grid, InDomainSource, Paths
from .plan import SECTION, System
from .row import Modality, Row
from .train import BEST

CARD = "README.md"
TASKS = {"speech": "audio-classification", "text": "text-classification", "fusion": "audio-classification"}
"""By modality, in Hugging Face's terms, which know no fusion."""
LIBRARIES = {"speech": "s3prl", "text": "transformers", "fusion": "zero-shot-emotion"}
METRIC_TYPES = {"UAR": "recall", "WA": "accuracy", "macro-F1": "f1"}
"""Of our metrics in Hugging Face's terms; UAR is macro-averaged recall."""


def write_card(folder: Path, grid: Grid, paths: Paths, system: System, rows: Sequence[Row]) -> None:
    """Write ``README.md`` beside a system's checkpoint, if it has one: a fusion has none of its own.

    Args:
        folder: of the system.
        grid: that it belongs to.
        paths: what its placeholders stand for.
        system: what was trained.
        rows: its results.
    """
    from huggingface_hub import ModelCard

    in_domain = isinstance(grid.sources[system.source], InDomainSource)
    described = grid.sources[system.source].description or f"a source of kind {system.kind}"
    name = f"{grid.name}-{system.source}-{system.model}-{system.trained}-seed{system.seed}"
    regression = SECTION in system.config.get("head", {})
    trained = "classifier" if system.modality == "text" else MODEL if regression else BEST
    if system.modality == "fusion":
        trained = f"features/{FUSED}"
    library = "scikit-learn" if regression and system.modality == "speech" else LIBRARIES[system.modality]
    card = ModelCard.from_template(
        _data(name, rows, system.modality, library),
        template_path=str(find_config("pages", "model-card", ".j2")),
        title=f"{_recognition(system).capitalize()}: {system.source} → {', '.join(system.targets)}",
        summary=(
            f"{_said(grid, system)}, trained on {system.source!r}: "
            f"a system of the benchmark {grid.name!r} of zero-shot-emotion."
        ),
        modality=system.modality,
        # each fold of a cross-validation has a checkpoint of its own
        checkpoint=f"fold0/{trained}" if in_domain else trained,
        by_s3prl=library == "s3prl",
        classes=list(grid.label_set.classes),
        how=system.trained,
        override=_override(grid, paths, system) if library == "s3prl" else "",
        upstream=_frozen(grid, paths, system),
        source=system.source,
        source_text=described,
        in_domain=in_domain,
        fingerprints=_trained_on(grid, system, rows),
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


def _recognition(system: System) -> str:
    of = {"speech": "speech", "text": "text", "fusion": "speech and text"}
    return f"{of[system.modality]} emotion recognition"


def _said(grid: Grid, system: System) -> str:
    """What was trained on what."""
    if system.fusion is not None:
        how = {
            "late": "what both say, weighed by dev",
            "features": "a logistic regression on the mean vectors of both",
        }
        return f"The upstream {system.upstream!r} and the encoder {system.encoder!r}, {how[system.trained]}"
    if system.encoder is not None:
        return f"The head {system.text_head!r} on the encoder {system.encoder!r}"
    return f"The head {system.head!r} on the frozen upstream {system.upstream!r}"


def _trained_on(grid: Grid, system: System, rows: Sequence[Row]) -> dict[str, str]:
    """Fingerprints of the source's own corpora; an in-domain system learnt from its targets."""
    in_domain = isinstance(grid.sources[system.source], InDomainSource)
    own = system.targets if in_domain else grid.bases(system.source)
    return {name: row.fingerprints[name] for row in rows for name in own if name in row.fingerprints}


def _override(grid: Grid, paths: Paths, system: System) -> str:
    """What takes s3prl from the stored features to the upstream itself, for files that no store holds."""
    upstream = grid.upstreams[system.upstream or ""]
    ckpt, config = paths.model(upstream.ckpt), paths.config(upstream.config)
    told = {"upstream": upstream.upstream, "upstream_ckpt": ckpt, "upstream_model_config": config}
    return shlex.quote(",,".join(f"args.{key}={json.dumps(value) if value else None}" for key, value in told.items()))


def _frozen(grid: Grid, paths: Paths, system: System) -> str:
    """The networks that a system needs and that are not in its folder."""
    parts: list[str | None] = []
    if system.upstream is not None:
        upstream = grid.upstreams[system.upstream]
        parts += [upstream.upstream, paths.model(upstream.ckpt)]
    if system.encoder is not None:
        parts.append(paths.model(grid.encoders[system.encoder].encoder))
    return " ".join(part for part in parts if part)


def _data(name: str, rows: Sequence[Row], modality: Modality, library: str) -> Any:
    """The metadata that stands in the head of the card."""
    from huggingface_hub import EvalResult, ModelCardData

    results = [
        EvalResult(
            task_type=TASKS[modality],
            task_name=f"{modality} emotion recognition",
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
        pipeline_tag=TASKS[modality],
        tags=list(dict.fromkeys([f"{modality}-emotion-recognition", "zero-shot-emotion", library])),
        metrics=list(METRIC_TYPES.values()),
        model_name=name,
        eval_results=results,
    )
