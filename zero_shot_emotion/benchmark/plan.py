"""What a grid comes to: the systems to train, the rows that each gives, and what is left out and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

from ..config_files import find_config
from ..corpus import Corpus
from ..regression import read_regression
from .corpora import kind_of
from .fingerprint import AudioHashes, fingerprint
from .grid import CorpusSource, Grid, GridError, InDomainSource, MajoritySource, Paths, PriorSource, ShareSource
from .row import Row, SourceKind

Opened = dict[str, Corpus]
"""Corpora by their specs as the grid has them, placeholders and all."""
SECTION = "logistic_regression"
"""Of a head's config: what makes it a logistic regression, on which s3prl's runner has no part."""
MAJORITY = "majority class"
"""What the system that always says the commonest class is called."""


@dataclass(frozen=True)
class System:
    """One system: trained once (once a fold, if it is in-domain), tested on some targets.

    Attributes:
        source: what it is trained on.
        kind: of the source.
        upstream: its features; None where nothing is trained.
        head: what is trained on them; None where nothing is trained.
        seed: of everything.
        targets: what it is tested on.
        config: all that decides about what is learnt.
        protocol: what else decides about the numbers.
    """

    source: str
    kind: SourceKind
    upstream: str | None
    head: str | None
    seed: int
    targets: tuple[str, ...]
    config: dict[str, Any]
    protocol: dict[str, Any]

    @cached_property
    def id(self) -> str:
        """Of its folder: fixed by the config, the targets aside."""
        return Row.id_for(self.config)

    @property
    def name(self) -> str:
        """For people."""
        return " / ".join(str(part) for part in (self.source, self.upstream, self.head, f"seed {self.seed}") if part)


@dataclass(frozen=True)
class Plan:
    """All systems of a grid.

    Attributes:
        systems: in the order in which they are to be trained.
        left_out: pairs of source and target that are not to be compared, with the reason.
        row_ids: the id of the row of a system and a target.
        fingerprints: of each target, and of each source that lies on disk.
    """

    systems: list[System]
    left_out: dict[tuple[str, str], str]
    row_ids: dict[tuple[str, str], str]
    fingerprints: dict[str, str]

    def rows(self) -> Iterator[tuple[System, str, str]]:
        """Every row: its system, its target, its id."""
        for system in self.systems:
            for target in system.targets:
                yield system, target, self.row_ids[system.id, target]


def make_plan(grid: Grid, paths: Paths, opened: Opened, hashes: AudioHashes) -> Plan:
    """Unfold a grid.

    Args:
        grid: what is here of it.
        paths: what its placeholders stand for.
        opened: its corpora.
        hashes: of their sound.
    """
    prints = {spec: fingerprint(corpus, hashes.of(corpus)) for spec, corpus in opened.items()}
    heads = {name: head_config(grid, name) for name in grid.heads}
    left_out: dict[tuple[str, str], str] = {}
    systems: list[System] = []
    for seed in grid.all_seeds:
        for source in grid.sources:
            targets = _targets(grid, paths, source, left_out)
            if targets:
                systems += _systems(grid, paths, source, seed, targets, heads, prints)
    row_ids = {
        (system.id, target): Row.id_for(
            {**system.config, "target": target, "target_fingerprint": prints[grid.targets[target].corpus]}
        )
        for system in systems
        for target in system.targets
    }
    named = {name: prints[target.corpus] for name, target in grid.targets.items()}
    named |= {name: prints[s.corpus] for name, s in grid.sources.items() if isinstance(s, CorpusSource)}
    return Plan(systems, left_out, row_ids, named)


def head_config(grid: Grid, name: str) -> dict[str, Any]:
    """The downstream config of a head, without corpora.

    Raises:
        GridError: unless it has the sections that s3prl needs.
    """
    head = grid.heads[name]
    if isinstance(head, str):
        path = find_config("downstream", head)
        config, where = yaml.safe_load(path.read_text(encoding="utf-8")), str(path)
    else:
        config, where = head, f"heads.{name}"
    if isinstance(config, dict) and SECTION in config:
        return _regression(config, f"{where}.{SECTION}", grid.labels)
    for section in ("runner", "optimizer", "downstream_expert"):
        if not isinstance(config, dict) or not isinstance(config.get(section), dict):
            raise GridError(f"{where}: {section}: missing, expected a section of s3prl's downstream config")
    expert = config["downstream_expert"]
    reserved = ("train", "dev", "targets", "labels", "meta_data", "test_fold", "syn_root", "iem_root")
    data = {key: value for key, value in (expert.get("datarc") or {}).items() if key not in reserved}
    runner = {**config["runner"], "eval_dataloaders": ["dev"]}  # a target there would be looked at, then selected on
    return {**config, "runner": runner, "downstream_expert": {**expert, "datarc": {**data, "labels": grid.labels}}}


def _regression(config: dict[str, Any], where: str, labels: str) -> dict[str, Any]:
    """The config of a logistic regression: its options, and how the corpora are read."""
    options = read_regression(config[SECTION] or {}, where).model_dump(mode="json")
    data = (config.get("downstream_expert") or {}).get("datarc") or {}
    known = {
        key: data[key] for key in ("valid_ratio", "dev_metric", "balance", "bad_audio", "min_seconds") if key in data
    }
    return {SECTION: options, "downstream_expert": {"datarc": {**known, "labels": labels}}}


def _targets(grid: Grid, paths: Paths, source: str, left_out: dict[tuple[str, str], str]) -> tuple[str, ...]:
    """What a source is tested on."""
    found = grid.sources[source]
    if isinstance(found, PriorSource):
        wanted = [target for target in grid.targets if target == found.target]
    else:
        wanted = list(grid.targets)
    own = [base for base in map(grid.sources.__getitem__, grid.bases(source)) if isinstance(base, CorpusSource)]
    specs = {paths.fill(base.corpus) for base in own}
    kept = []
    for target in wanted:
        if paths.fill(grid.targets[target].corpus) in specs:
            left_out[source, target] = "the source is, or holds, the target itself"
        else:
            kept.append(target)
    return tuple(kept)


def _systems(
    grid: Grid,
    paths: Paths,
    source: str,
    seed: int,
    targets: tuple[str, ...],
    heads: dict[str, dict[str, Any]],
    prints: dict[str, str],
) -> Iterator[System]:
    found, kind = grid.sources[source], kind_of(grid, source)
    recipe = {name: grid.sources[name].model_dump(exclude={"description"}) for name in _made_of(grid, source)}
    used = {s.corpus: prints[s.corpus] for name in recipe if isinstance(s := grid.sources[name], CorpusSource)}
    config = {"source": recipe, "labels": grid.labels, "fingerprints": used, "protocol": grid.protocol}
    if isinstance(found, MajoritySource):
        if seed == grid.all_seeds[0]:  # nothing is drawn
            yield System(source, kind, None, None, seed, targets, {**config, "seed": seed}, dict(grid.protocol))
        return
    protocol = {**grid.protocol, **_protocol(grid, source)}
    each = [(target,) for target in targets] if isinstance(found, InDomainSource) else [targets]
    for upstream, settings in grid.upstreams.items():
        described = settings.model_dump(exclude={"heads", "requires", "description"})
        for head in grid.heads_of(upstream):
            chosen_by = _head_protocol(heads[head])
            for tested in each:
                # in-domain systems learn from the target: it belongs to what they are
                own = {"target": tested[0]} if isinstance(found, InDomainSource) else {}
                yield System(
                    source,
                    kind,
                    upstream,
                    head,
                    seed,
                    tested,
                    {**config, **own, "upstream": described, "head": heads[head], "seed": seed},
                    {**chosen_by, **protocol},
                )


def _made_of(grid: Grid, source: str) -> list[str]:
    """A source and all that it is made of."""
    of = getattr(grid.sources[source], "of", ())
    return [source, *(name for base in ((of,) if isinstance(of, str) else of) for name in _made_of(grid, base))]


def _head_protocol(head: dict[str, Any]) -> dict[str, Any]:
    """What of a head decides about the numbers, besides its name."""
    metric = head["downstream_expert"]["datarc"].get("dev_metric", "UAR")
    if SECTION not in head:
        return {"dev metric": metric}
    options = head[SECTION]
    if not isinstance(options["penalty"], list):
        return dict(options)  # nothing is chosen
    return {**options, "penalty": " or ".join(map(str, options["penalty"])), "dev metric": metric}


def _protocol(grid: Grid, source: str) -> dict[str, Any]:
    found = grid.sources[source]
    if isinstance(found, ShareSource):
        return {**_protocol(grid, found.of), "share": found.shares[0]}
    if isinstance(found, PriorSource):
        return {**_protocol(grid, found.of), "label prior": f"published of {found.target}"}
    if isinstance(found, InDomainSource):
        return {"folds": found.folds}
    return {}
