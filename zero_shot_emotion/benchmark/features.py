"""The features of a grid: each corpus once through each upstream, kept in one store an upstream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ..corpus import LabelSet
from ..corpus.readers import open_corpus
from ..features.fingerprint import code_version
from ..settings import conditioning_of, read_settings
from .fingerprint import PathHashes
from .grid import Paths, Upstream
from .models import upstream_models
from .passes import Passes
from .plan import SECTION
from .row import Row

COSTS = "costs.json"


class Stores:
    """The stores under a folder.

    Args:
        folder: of all stores.
        paths: what placeholders stand for.
        labels: that are trained on and tested; what a label set drops is not computed.
        device: to compute on.
        files: hashes of checkpoints.
    """

    def __init__(self, folder: Path, paths: Paths, labels: LabelSet, device: str, files: PathHashes) -> None:
        self._folder, self._paths, self._labels, self._device = folder, paths, labels, device
        self._files = files

    def place(self, name: str, upstream: Upstream, head: Mapping[str, Any]) -> Path:
        """The store of an upstream for a head: means where they are all that the head needs, else frames."""
        described = {"upstream": upstream.upstream, "ckpt": upstream.ckpt, "config": upstream.config}
        described |= upstream_models(upstream, self._paths, self._files)  # another checkpoint has a store of its own
        code = code_version(upstream.upstream)
        described |= {} if code is None else {"code": code}
        heard = conditioning_of(head["downstream_expert"], name).key
        return self._folder / f"{name}-{keep_for(head)}-{Row.id_for({**described, **heard})[:8]}"

    def fill(self, name: str, upstream: Upstream, head: Mapping[str, Any], specs: Iterable[str]) -> None:
        """Store what is not there of some corpora; bad audio is left to the head's own settings."""
        from ..features import UpstreamSpec, extract
        from ..features.frozen import FrozenUpstream

        folder = self.place(name, upstream, head)
        ckpt, config = self._paths.model(upstream.ckpt), self._paths.config(upstream.config)
        passes = Passes(folder / COSTS)
        load = cache(FrozenUpstream)  # once for all corpora
        for spec in specs:
            with passes.over(spec) as took:
                report = extract(
                    [open_corpus(spec).with_labels(self._labels)[0]],
                    UpstreamSpec(upstream.upstream, ckpt, config),
                    folder,
                    keep=keep_for(head),
                    device=self._device,
                    skip_errors=True,
                    load=load,
                    conditioning=conditioning_of(head["downstream_expert"], name),
                )
                if report.computed:
                    took(report.seconds)

    def seconds(self, name: str, upstream: Upstream, head: Mapping[str, Any], specs: Iterable[str]) -> float | None:
        """What the pass over some corpora took; None if that is not known."""
        return Passes(self.place(name, upstream, head) / COSTS).seconds(specs)

    def options(self, name: str, upstream: Upstream, head: Mapping[str, Any]) -> tuple[str, ...]:
        """What tells s3prl's runner of the store."""
        return ("-u", "stored", "-k", str(self.place(name, upstream, head)), "-s", upstream.feature_selection)


def keep_for(head: Mapping[str, Any]) -> str:
    """``means`` where all before the pooling is linear in the frames, else ``frames``."""
    if SECTION in head:
        return "means"
    model = read_settings({"datarc": {}, **head["downstream_expert"]}).modelrc
    return "means" if model.hears_means_alone and not head.get("specaug") else "frames"
