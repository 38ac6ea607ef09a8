"""Settings without the places on disk that they name: what lies there counts, not where."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generation.weak_labels.asr import GIVEN, describe
from generation.weak_labels.settings import WeakLabelSettings

from ..benchmark.fingerprint import PathHashes
from ..benchmark.plan import HOW_ASKED

NAMING = ("model", "encoder", "file", "prompt", "ckpt", "config")
"""Keys whose values name a model or a file, which may lie on disk under any name."""


def by_content(value: Any, hashes: PathHashes, key: str = "") -> Any:
    """Settings with a hash in place of each path that leads to something; what is on a hub keeps its name.

    Args:
        value: as pydantic dumps it.
        hashes: of files and folders.
        key: of the value.
    """
    if isinstance(value, Mapping):
        asked = HOW_ASKED if key == "endpoint" else ()
        return {name: by_content(own, hashes, name) for name, own in value.items() if name not in asked}
    if isinstance(value, list | tuple):
        return [by_content(own, hashes, key) for own in value]
    names = isinstance(value, Path) or (isinstance(value, str) and (key in NAMING or Path(value).name != value))
    if names and Path(value).exists():
        return hashes.of(value)
    return str(value) if isinstance(value, Path) else value


def models_of(name: str, settings: Mapping[str, Any], hashes: PathHashes) -> dict[str, str]:
    """Hashes of what the settings of a part name, as rows have them, such as ``ckpt of data2vec``."""
    found = {key: by_content(value, hashes, key) for key, value in settings.items() if isinstance(value, str | Path)}
    return {f"{key} of {name}": content for key, content in found.items() if content != str(settings[key])}


def weak_settings(weak: WeakLabelSettings, hashes: PathHashes) -> tuple[dict[str, Any], dict[str, str]]:
    """All that labels follow from, defaults and versions of recognisers too; and the hashes of models, for rows."""
    told = by_content(weak.model_dump(exclude={"labellers", "taxonomy"}), hashes)
    models: dict[str, str] = {}
    if weak.transcripts.engine != GIVEN:
        engine = describe(weak.transcripts.engine, weak.transcripts.settings)
        told["transcripts"] |= {"settings": by_content(engine["settings"], hashes)}
        models |= models_of(weak.transcripts.engine, engine["settings"], hashes)
    told["labellers"] = []
    for labeller in weak.labellers:
        settings = labeller.settings.model_dump()
        told["labellers"].append({"kind": labeller.kind, "name": labeller.title, **by_content(settings, hashes)})
        models |= models_of(labeller.title, settings, hashes)
    return told, models
