"""What this project adds to s3prl's hub when s3prl is imported.

An upstream of your own goes the same way, from a package of your own::

    [project.entry-points."zero_shot_emotion.upstreams"]
    my_upstream = "my_package.hubconf:my_upstream"

A function here is called as s3prl calls its own: ``name(ckpt=..., model_config=..., refresh=...)``; it imports what it
needs itself, since all of s3prl's commands import this module.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from types import ModuleType
from typing import Any

GROUP = "zero_shot_emotion.upstreams"


def stored(ckpt: str | None = None, **kwargs: Any) -> Any:
    """Features that ``zero-shot-emotion extract`` stored; ``-k`` names the store."""
    from .stored import UpstreamExpert

    return UpstreamExpert(ckpt)


def whisper(ckpt: str | None = None, **kwargs: Any) -> Any:
    """Whisper's encoder; ``-k`` names the checkpoint, such as openai/whisper-small, or its folder."""
    from .whisper import UpstreamExpert

    return UpstreamExpert(ckpt)


def hf_audio(ckpt: str | None = None, **kwargs: Any) -> Any:
    """Any audio encoder of transformers; ``-k`` names the checkpoint or its folder."""
    from .hf_audio import UpstreamExpert

    return UpstreamExpert(ckpt)


def egemaps(model_config: str | None = None, **kwargs: Any) -> Any:
    """OpenSMILE's eGeMAPSv02 functionals; ``-g`` may name a file to standardise by."""
    from .egemaps import UpstreamExpert

    return UpstreamExpert("functionals", model_config)


def egemaps_lld(model_config: str | None = None, **kwargs: Any) -> Any:
    """OpenSMILE's eGeMAPSv02 low-level descriptors; ``-g`` may name a file to standardise by."""
    from .egemaps import UpstreamExpert

    return UpstreamExpert("lld", model_config)


OWN = (stored, whisper, hf_audio, egemaps, egemaps_lld)


def register(hub: ModuleType) -> None:
    """Add our upstreams, and those of other packages, to s3prl's hub; a name that it has stays its own."""
    for upstream in OWN:
        _add(hub, upstream.__name__, upstream)
    for entry in entry_points(group=GROUP):
        _add(hub, entry.name, _loaded_late(entry))


def _add(hub: ModuleType, name: str, upstream: Any) -> None:
    if not hasattr(hub, name):
        setattr(hub, name, upstream)


def _loaded_late(entry: Any) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        return entry.load()(*args, **kwargs)

    call.__name__ = entry.name
    return call
