"""The models that the systems of a grid rest on: hashes of what lies behind their names, for ids and rows.

A grid names them by placeholders, which stand for another file with each user. What they hold decides.
"""

from __future__ import annotations

from typing import Any

from ..config_files import find_config
from ..errors import UserError
from ..taxonomy import KIND as TAXONOMIES
from .fingerprint import PathHashes
from .grid import Encoder, Grid, Paths, UntrainedSource, Upstream

MODELS = "models"
"""Of a system's config: the hashes, by what they are of."""


def all_models(grid: Grid, paths: Paths, hashes: PathHashes) -> dict[str, dict[str, str]]:
    """The hashes of each upstream, encoder and untrained source that rests on anything, by its name."""
    found = {name: upstream_models(upstream, paths, hashes) for name, upstream in grid.upstreams.items()}
    found |= {name: _encoder_models(encoder, paths, hashes) for name, encoder in grid.encoders.items()}
    return {name: models for name, models in found.items() if models}


def upstream_models(upstream: Upstream, paths: Paths, hashes: PathHashes) -> dict[str, str]:
    """The hashes of an upstream's checkpoint and config, as far as it has them."""
    named = {"ckpt": upstream.ckpt and paths.fill(upstream.ckpt), "config": paths.config(upstream.config)}
    return {what: hashes.of(path) for what, path in named.items() if path}


def labeller_models(grid: Grid, source: UntrainedSource, paths: Paths, hashes: PathHashes) -> dict[str, str]:
    """The hashes of an untrained labeller's model, of the files that it reads and of its taxonomy.

    Defaults count: a model that the grid does not name is one, too.
    """
    from generation.weak_labels.labeller import LabellerSpec

    try:
        settings = LabellerSpec.model_validate(filled_labeller(source, paths)).settings
        taxonomy = find_config(TAXONOMIES, source.taxonomy or grid.labels)
    except UserError:
        return {}  # it cannot run, which its own system says when it is tried: others go on
    model = getattr(settings, "model", None)
    named = {"model": model, "taxonomy": taxonomy} | {f"file {n}": file for n, file in enumerate(settings.files)}
    return {what: hashes.of(path) for what, path in named.items() if path}


def filled_labeller(source: UntrainedSource, paths: Paths) -> dict[str, Any]:
    """An untrained source's labeller, its placeholders filled in."""
    return {key: paths.fill(value) if isinstance(value, str) else value for key, value in source.labeller.items()}


def _encoder_models(encoder: Encoder, paths: Paths, hashes: PathHashes) -> dict[str, str]:
    return {"encoder": hashes.of(paths.fill(encoder.encoder))}
