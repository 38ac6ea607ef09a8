"""Features of a frozen upstream, computed once for all trainings of an experiment."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..benchmark.features import keep_for
from ..benchmark.fingerprint import PathHashes
from ..benchmark.row import Row
from ..benchmark.run import UPSTREAM
from ..corpus import atomic_write
from ..features.fingerprint import code_version
from ..settings import conditioning_of
from .plan import Parts, System
from .settings import LanserSettings
from .weak import WeakCorpus


def upstream_options(
    settings: LanserSettings,
    out: Path,
    weak: Sequence[WeakCorpus],
    targets: Mapping[str, Parts],
    files: PathHashes,
    device: str,
) -> tuple[str, ...]:
    """What s3prl is told of the upstream: itself, or a store of its features, which is filled now.

    Bad audio is left to the downstream's own settings.
    """
    upstream = settings.upstream
    if not upstream.stored:
        return upstream.options
    from ..features import UpstreamSpec, extract

    keep = keep_for(settings.pretrain)
    conditioning = conditioning_of(settings.pretrain["downstream_expert"])
    code = code_version(upstream.upstream)
    described = {**upstream.by_content(files), **({} if code is None else {"code": code}), **conditioning.key}
    folder = out / "features" / f"{upstream.upstream}-{keep}-{Row.id_for(described)[:8]}"
    corpora = [one.corpus for one in weak] + [part for p in targets.values() for part in (p.train, p.test)]
    spec = UpstreamSpec(upstream.upstream, upstream.ckpt, upstream.model_config_path)
    report = extract(corpora, spec, folder, keep=keep, device=device, skip_errors=True, conditioning=conditioning)
    print(report.summary(), flush=True)
    return ("-u", "stored", "-k", str(folder.absolute()))


def name_upstream(settings: LanserSettings, system: System) -> None:
    """Say beside a checkpoint what its stored features are of: that is what ``predict`` needs."""
    upstream = settings.upstream
    if upstream.stored:
        files = {key: str(Path(p).absolute()) if Path(p).exists() else p for key, p in upstream.files.items()}
        named = {"upstream": upstream.upstream, "ckpt": None, "config": None, **files}
        with atomic_write(system.job.folder / UPSTREAM) as file:
            json.dump(named, file)
