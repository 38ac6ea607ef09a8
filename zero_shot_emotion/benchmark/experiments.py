"""Rows of experiments that s3prl's own command trained and tested: what they tell of themselves, in a row's words."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import Any, get_args

from ..corpus.readers import open_corpus
from ..results import read_results
from ..settings import RESERVED, DataSettings, ModelSettings, read_settings
from .fingerprint import AudioHashes, fingerprint
from .row import Cost, Row, RowError, SourceKind, read_rows, write_rows
from .run import versions
from .tested import as_tested, copy_predictions

CORPORA = ("train", "dev", "targets")
"""Of a config: where corpora lie differs with each user; what they hold is in the fingerprints."""
COMMAND = ("zero-shot-emotion", "run-downstream", "-m", "evaluate", "-e")


@dataclass(frozen=True)
class Told:
    """What an experiment does not tell of itself.

    Attributes:
        kind: of what it was trained on, as in `SourceKind`.
        source: its name; None takes those of the corpora, ``-then-`` between the stages of ``-i``.
        benchmark: name of the rows.
        contributor: who ran it.
    """

    kind: str
    source: str | None = None
    benchmark: str = "experiments"
    contributor: str = ""


def add_experiments(expdirs: Sequence[Path], out: Path, told: Told) -> list[Row]:
    """Add the tests of experiments to a folder of results; what is there already with the same numbers is kept.

    Args:
        expdirs: experiment folders that were tested by ``-m evaluate``.
        out: the folder of results.
        told: of all of them.

    Returns:
        the rows of these experiments.

    Raises:
        RowError: on an experiment that does not tell what a row needs.
        CorpusError: on a corpus that is not there any more.
    """
    if told.kind not in get_args(SourceKind):
        raise RowError(f"--kind: got {told.kind!r}, expected one of {', '.join(get_args(SourceKind))}")
    rows = {row.id: row for row in read_rows(out)}
    hashes = AudioHashes(out / "hashes.json")
    added = []
    for expdir in expdirs:
        for target in _targets(expdir):
            row = _row(expdir, target, hashes, told)
            if row.id not in rows or rows[row.id].test != row.test:
                rows[row.id] = row
                copy_predictions(expdir, out, row)
            added.append(rows[row.id])
    write_rows(out, rows.values())
    return added


def _targets(expdir: Path) -> list[str]:
    tested = [name for name in read_results(expdir) if name not in RESERVED]
    if not tested:
        raise RowError(f"{expdir}: holds no test of a target, expected results.json as -m evaluate -t TARGET writes it")
    return tested


def _row(expdir: Path, target: str, hashes: AudioHashes, told: Told) -> Row:
    found = read_results(expdir)[target]
    checkpoint = _checkpoint(expdir, found.get("checkpoint"))
    states = _states(checkpoint)
    settings = read_settings(states["Config"]["downstream_expert"], checkpoint)
    data = settings.datarc
    if target not in data.targets:
        named = ", ".join(data.targets) or "none"
        raise RowError(f"{expdir}: was tested on {target!r}, expected a target that its config names: {named}")
    stages = _stages(states, checkpoint)
    names = _names([*chain.from_iterable(stages)])
    corpora = {**{name: spec for spec, name in names.items()}, target: data.targets[target]}
    kept = {name: open_corpus(spec).with_labels(data.label_set)[0] for name, spec in corpora.items()}
    config = {
        "config": _without_corpora(states["Config"]),
        "system": _system(found),
        "features": found.get("features"),
        "source": told.source or "-then-".join("+".join(names[spec] for spec in stage) for stage in stages),
        "target": target,
        "seed": int(found["seed"]),
        "fingerprints": {name: fingerprint(corpus, hashes.of(corpus)) for name, corpus in kept.items()},
        "checkpoint": checkpoint.name,
    }
    return Row(
        id=Row.id_for({**config, "benchmark": told.benchmark, "kind": told.kind}),
        benchmark=told.benchmark,
        modality="speech",
        system=config["system"],
        head=settings.modelrc.select,
        source=config["source"],
        source_kind=told.kind,
        target=target,
        seed=config["seed"],
        labels=data.label_set.classes,
        protocol=_protocol(data, settings.modelrc),
        test=as_tested(expdir, target),
        cost=Cost(device=states["Args"].device),
        fingerprints=config["fingerprints"],
        config=config,
        command=shlex.join([*COMMAND, str(checkpoint), "-t", target]),
        versions=versions(),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        contributor=told.contributor,
    )


def _names(specs: Sequence[str]) -> dict[str, str]:
    """A name for each corpus: its own, with what was selected of it; those of the same name are numbered."""
    names: dict[str, str] = {}
    for spec in dict.fromkeys(specs):
        own = open_corpus(spec).name + "".join(spec.partition("#")[1:])
        tries = (f"{own}-{number}" if number > 1 else own for number in count(1))
        names[spec] = next(name for name in tries if name not in names.values())
    return names


def _checkpoint(expdir: Path, named: str | None) -> Path:
    """What was tested; an experiment may have been moved since."""
    for path in (Path(named or ""), expdir / Path(named or "").name):
        if path.is_file():
            return path
    raise RowError(f"{expdir}: was tested with the checkpoint {named}, which is not there any more")


def _states(checkpoint: Path) -> dict[str, Any]:
    import torch

    from ..s3prl_plugin.repairs import allow_argparse_namespace

    allow_argparse_namespace()
    states: dict[str, Any] = torch.load(checkpoint, map_location="cpu", mmap=True)
    return states


def _stages(states: dict[str, Any], checkpoint: Path) -> list[list[str]]:
    """What it was trained on, as `open_corpus` takes it, and before that what it started from by ``-i``."""
    own = list(states["Config"]["downstream_expert"]["datarc"].get("train", ()))
    arguments = states["Args"]
    if not arguments.init_ckpt:
        return [own]
    base = Path(arguments.init_ckpt)
    if not base.is_file():
        raise RowError(f"{checkpoint}: started from {base}, which is not there any more: what was that trained on?")
    before = _stages(_states(base), base)
    return before if arguments.past_exp else [*before, own]  # a run that was resumed is one stage


def _system(found: dict[str, Any]) -> str:
    """The upstream that was heard, be it by stored features, with its checkpoint where it has one."""
    told = found.get("features") or {"upstream": found["upstream"], "checkpoint": found.get("upstream_ckpt")}
    ckpt = told.get("checkpoint")
    return f"{told['upstream']} ({Path(ckpt).name})" if ckpt else str(told["upstream"])


def _protocol(data: DataSettings, model: ModelSettings) -> dict[str, str | int | float | bool | None]:
    """As a grid's rows have it; of M5SER's head also what its systems differ in."""
    told: dict[str, Any] = {"dev metric": data.dev_metric, **data.conditioning.key}
    if model.select != "EmotionQFormer":
        return told
    head = model.EmotionQFormer
    losses = ("text_contrast", "emotion_contrast", "speaker_adversary", "language_adversary")
    weights = {name.replace("_", " "): getattr(head.loss, name) for name in losses}
    return {**told, "language model": Path(head.language_model.name).name, **weights}


def _without_corpora(config: dict[str, Any]) -> dict[str, Any]:
    section = config["downstream_expert"]
    data = {key: value for key, value in section["datarc"].items() if key not in CORPORA}
    return {**config, "downstream_expert": {**section, "datarc": data}}
