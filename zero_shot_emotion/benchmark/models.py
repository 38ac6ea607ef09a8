"""The models that the systems of a grid rest on: hashes of what lies behind their names, for ids and rows.

A grid names them by placeholders, which stand for another file with each user. What they hold decides.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..config_files import find_config
from ..errors import UserError
from ..taxonomy import KIND as TAXONOMIES
from .fingerprint import PathHashes
from .grid import Encoder, Grid, Paths, UntrainedSource, Upstream

if TYPE_CHECKING:
    from generation.weak_labels.labeller import LabellerSettings

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
    try:
        settings = _settings(source, paths)
        taxonomy = find_config(TAXONOMIES, source.taxonomy or grid.labels)
    except UserError:
        return {}  # it cannot run, which its own system says when it is tried: others go on
    model = getattr(settings, "model", None)
    named = {"model": model, "taxonomy": taxonomy} | {f"file {n}": file for n, file in enumerate(settings.files)}
    return {what: hashes.of(path) for what, path in named.items() if path}


def filled_labeller(source: UntrainedSource, paths: Paths) -> dict[str, Any]:
    """An untrained source's labeller, its placeholders filled in."""
    return {key: paths.fill(value) if isinstance(value, str) else value for key, value in source.labeller.items()}


def described(grid: Grid, paths: Paths) -> list[tuple[str, str]]:
    """What upstreams, encoders and untrained labellers are, in words, after their names in the grid.

    The words have the paths and names of models that the placeholders stand for, and those that are defaults.
    """
    found = [
        (name, f"{upstream.upstream} {paths.fill(upstream.ckpt or '')}") for name, upstream in grid.upstreams.items()
    ]
    found += [(name, paths.fill(encoder.encoder)) for name, encoder in grid.encoders.items()]
    for name, source in grid.sources.items():
        if isinstance(source, UntrainedSource):
            with suppress(UserError):  # as above
                found.append((name, f"{source.labeller['kind']} {getattr(_settings(source, paths), 'model', '')}"))
    return found


def _settings(source: UntrainedSource, paths: Paths) -> LabellerSettings:
    """Of an untrained labeller, its defaults among them."""
    from generation.weak_labels.labeller import LabellerSpec

    return LabellerSpec.model_validate(filled_labeller(source, paths)).settings


def _encoder_models(encoder: Encoder, paths: Paths, hashes: PathHashes) -> dict[str, str]:
    return {"encoder": hashes.of(paths.fill(encoder.encoder))}
